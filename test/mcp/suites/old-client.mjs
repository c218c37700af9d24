/**
 * A client of the SDK as it was before its second version, on a tour through a server that has what the fixture has:
 * `node old-client.mjs http|sse URL` or `node old-client.mjs stdio COMMAND...` prints one line of JSON with all that it
 * saw. Headers come from OLD_CLIENT_HEADERS, as JSON.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

const [way, ...target] = process.argv.slice(2);
const requestInit = { headers: JSON.parse(process.env["OLD_CLIENT_HEADERS"] ?? "{}") };

function transportOf() {
  if (way === "http") return new StreamableHTTPClientTransport(new URL(target[0]), { requestInit });
  if (way === "sse") return new SSEClientTransport(new URL(target[0]), { requestInit });
  return new StdioClientTransport({ command: target[0], args: target.slice(1), env: process.env });
}

/** Waits for something that a notification brings. */
async function until(arrived, milliseconds = 5000) {
  const end = Date.now() + milliseconds;
  while (!arrived() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  return arrived();
}

const seen = { arrived: [], progress: [], logs: [], updated: [], changed: [], elicited: [], sampled: [] };
const capabilities = { sampling: {}, elicitation: {}, roots: {} };
const client = new Client({ name: "old-client", version: "1.0.0" }, { capabilities });
client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
  seen.elicited.push(params.message);
  return { action: "accept", content: { username: "ada", email: "ada@example.com" } };
});
client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
  seen.sampled.push(params.messages[0].content.text);
  return {
    role: "assistant",
    content: { type: "text", text: "Paris" },
    model: "a-model",
    stopReason: "endTurn",
  };
});
client.setNotificationHandler(
  LoggingMessageNotificationSchema,
  ({ params }) => void seen.logs.push(params.data),
);
client.setNotificationHandler(
  ResourceUpdatedNotificationSchema,
  ({ params }) => void seen.updated.push(params.uri),
);
client.setNotificationHandler(ToolListChangedNotificationSchema, () => void seen.changed.push("tools"));
client.setNotificationHandler(PromptListChangedNotificationSchema, () => void seen.changed.push("prompts"));

const call = (name, args = {}, options) => client.callTool({ name, arguments: args }, undefined, options);
const textOf = (result) => result.content.map((part) => part.text ?? part.type).join("|");
const failure = (error) => ({ code: error.code ?? null, message: error.message });

async function lists() {
  const { tools } = await client.listTools();
  const { resources } = await client.listResources();
  const { resourceTemplates } = await client.listResourceTemplates();
  const { prompts } = await client.listPrompts();
  return {
    tools: tools.map((tool) => tool.name),
    resources: resources.map((resource) => resource.uri),
    templates: resourceTemplates.map((template) => template.uriTemplate),
    prompts: prompts.map((prompt) => prompt.name),
  };
}

async function calls() {
  const cancel = new AbortController();
  const waiting = call("test_wait", { milliseconds: 20_000 }, { signal: cancel.signal }).catch(failure);
  setTimeout(() => cancel.abort("enough"), 300);
  const progressed = await call(
    "test_tool_with_progress",
    {},
    {
      onprogress: ({ progress, total }) => void seen.progress.push(`${progress}/${total}`),
    },
  );
  await client.setLoggingLevel("info");
  return {
    echo: textOf(await call("echo", { text: "grüße 👋" })),
    mixed: (await call("test_multiple_content_types")).content.map((part) => part.type),
    structured: (await call("test_structured_content", { celsius: 100 })).structuredContent,
    error: await call("test_error_handling").then((result) => [result.isError, textOf(result)]),
    unknown: await call("no_such_tool").then((result) => [result.isError ?? false, textOf(result)], failure),
    progressed: textOf(progressed),
    logged: textOf(await call("test_tool_with_logging")),
    elicited: textOf(await call("test_elicitation", { message: "Who are you?" })),
    sampled: textOf(await call("test_sampling", { prompt: "Capital of France?" })),
    cancelled: await waiting,
    resource: (await client.readResource({ uri: "test://template/7/data" })).contents[0].text,
    missing: await client.readResource({ uri: "test://nothing" }).catch(failure),
    prompt: (
      await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "b" } })
    ).messages[0].content.text,
    completion: (
      await client.complete({
        ref: { type: "ref/prompt", name: "test_prompt_with_arguments" },
        argument: { name: "arg1", value: "par" },
      })
    ).completion.values,
  };
}

async function changes() {
  await client.subscribeResource({ uri: "test://watched-resource" });
  await call("test_touch_resource");
  await until(() => seen.updated.length > 0);
  await client.unsubscribeResource({ uri: "test://watched-resource" });
  // What changed so far was something else.
  seen.changed.length = 0;
  await call("test_trigger_tool_change");
  await until(() => seen.changed.includes("tools"));
  const after = (await client.listTools()).tools.map((tool) => tool.name).includes("test_dynamic_tool");
  await call("test_trigger_tool_change");
  await call("test_trigger_prompt_change");
  await until(() => seen.changed.includes("prompts"));
  await call("test_trigger_prompt_change");
  return { dynamicToolListed: after };
}

const transport = transportOf();
await client.connect(transport);
// What tells of progress, as it arrives: the client drops it where it comes in one piece with the answer.
const receive = transport.onmessage;
// oxlint-disable-next-line unicorn/prefer-add-event-listener -- an SDK transport is no EventTarget
transport.onmessage = (message, extra) => {
  if (message.method === "notifications/progress")
    seen.arrived.push(`${message.params.progress}/${message.params.total}`);
  receive?.(message, extra);
};
const found = {
  session: transport.sessionId !== undefined,
  server: client.getServerVersion()?.name,
  capabilities: Object.keys(client.getServerCapabilities() ?? {}).toSorted(),
  lists: await lists(),
  calls: await calls(),
  changes: await changes(),
  seen,
};
if (way === "http") await transport.terminateSession();
await client.close();
process.stdout.write(`${JSON.stringify(found)}\n`);
