import { setTimeout as sleep } from "node:timers/promises";
import type { ChatCompletionTool } from "openai/resources/chat/completions";
import { request } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { ToolBounds } from "../../src/gateway/tools/tool-bounds.ts";
import type { JsonObject } from "../../src/dialects/dialect.ts";
import { CALLER } from "../fakes/endpoint-server.ts";
import { until } from "../fakes/gateway-under-test.ts";
import type { HostedServer } from "../fakes/hosted-server.ts";
import { startHosted } from "../fakes/hosted-server.ts";
import { objectIn, objectsIn } from "../fakes/json-objects.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";
import type { ResponseStoreUnderTest } from "../fakes/response-store.ts";
import { openResponseStore } from "../fakes/response-store.ts";
import { ScriptedModel } from "../fakes/scripted-model.ts";
import { ScriptedTools } from "../fakes/scripted-tools.ts";

let model: ScriptedModel;
let store: ResponseStoreUnderTest;

beforeAll(async () => {
  model = await ScriptedModel.start();
  store = openResponseStore();
});

afterAll(async () => {
  store[Symbol.dispose]();
  await model[Symbol.asyncDispose]();
});

const host = new ScriptedTools({
  docs: {
    search: { description: "Finds pages.", run: ({ q }) => `found ${JSON.stringify(q)}` },
    slow: { run: (_, { signal }) => sleep(10_000, "too late", { signal }) },
    deaf: { run: () => sleep(600, "heard nothing") },
    short: { run: () => sleep(50, "short") },
    broken: {
      run: () => {
        throw new Error("the index is gone");
      },
    },
    large: { run: () => "ü".repeat(400_000) },
    delete: { needsApproval: true, run: ({ page }) => `deleted ${JSON.stringify(page)}` },
  },
  web: { "fetch page!": { run: () => "a page" } },
});

async function open(
  bounds: Partial<ToolBounds> = {},
  callers = [CALLER],
): Promise<HostedServer & { events: MemoryEventLog }> {
  await until(() => host.running === 0);
  host.calls.length = 0;
  host.most = host.ended = 0;
  const events = new MemoryEventLog();
  const hosted = { host, ask: model.ask, events, bounds };
  return { ...(await startHosted(hosted, store.responses, callers)), events };
}

const docs = { type: "mcp", server_label: "docs" } as const;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- OpenAI's chat has no such tool; the extension is Omni's
const chatDocs = docs as unknown as ChatCompletionTool;
const search = (q: string, id?: string) => ({
  name: "docs__search",
  arguments: JSON.stringify({ q }),
  ...(id === undefined ? {} : { id }),
});
const messages = [{ role: "user", content: "hello" }] as const;
const ownTool = {
  type: "function",
  name: "ask_user",
  parameters: { type: "object" },
  strict: false,
} as const;
const types = (items: unknown): unknown[] => objectsIn(items).map((item) => item["type"]);

test("a response: tools are listed, called, fed back, and the answer has every item and the usage of all rounds", async () => {
  await using server = await open();
  await model.play({ reasoning: "look it up", calls: [search("omni")] }, { text: "It is a node." });
  const response = await server.client.responses.create({ model: "m", input: "what?", tools: [docs] });
  expect(types(response.output)).toEqual(["mcp_list_tools", "reasoning", "mcp_call", "message"]);
  expect(response.output[2]).toMatchObject({
    server_label: "docs",
    name: "search",
    arguments: '{"q":"omni"}',
    output: 'found "omni"',
    error: null,
    status: "completed",
  });
  expect(response.output_text).toBe("It is a node.");
  expect(response.status).toBe("completed");
  expect(response.tools).toEqual([docs]);
  expect(response.usage).toMatchObject({
    input_tokens: 20,
    output_tokens: 10,
    total_tokens: 30,
    input_tokens_details: { cached_tokens: 4 },
  });

  const [first, second] = await model.seen();
  expect(first?.["store"]).toBe(false);
  expect(objectsIn(first?.["tools"])[0]).toMatchObject({
    type: "function",
    name: "docs__search",
    description: "Finds pages.",
  });
  const [, reasoning, call, result] = objectsIn(second?.["input"]);
  expect(reasoning?.["type"]).toBe("reasoning");
  expect(call).toMatchObject({ type: "function_call", name: "docs__search", call_id: "call_0" });
  expect(result).toEqual({ type: "function_call_output", call_id: "call_0", output: 'found "omni"' });

  const { events } = server.events;
  expect(events.map(({ kind, data }) => [kind, data?.["server"], data?.["tool"], data?.["ok"]])).toEqual([
    ["tools.called", "docs", "search", true],
  ]);
  expect(JSON.stringify(events)).not.toContain("omni");
});

test("a stream of a response: events in order with one numbering, items with ids of their own", async () => {
  await using server = await open();
  await model.play(
    { text: "Let me see. ", calls: [search("a"), search("b", "call_0")] },
    { text: "Both are there." },
  );
  const seen: JsonObject[] = [];
  const stream = server.client.responses.stream({ model: "m", input: "what?", tools: [docs] });
  for await (const event of stream) seen.push(objectIn(event));
  expect(seen.map((event) => event["sequence_number"])).toEqual(seen.map((_, at) => at));
  const names = seen.map((event) => String(event["type"]).replace("response.", ""));
  expect(names.filter((name, at) => name !== names[at - 1])).toEqual([
    "created",
    "in_progress",
    "output_item.added",
    "mcp_list_tools.in_progress",
    "mcp_list_tools.completed",
    "output_item.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    ...[1, 2].flatMap(() => [
      "output_item.added",
      "mcp_call.in_progress",
      "mcp_call_arguments.delta",
      "mcp_call_arguments.done",
    ]),
    "mcp_call.completed",
    "output_item.done",
    "mcp_call.completed",
    "output_item.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "completed",
  ]);
  const { output } = await stream.finalResponse();
  expect(types(output)).toEqual(["mcp_list_tools", "message", "mcp_call", "mcp_call", "message"]);
  expect(new Set(output.map(({ id }) => id)).size).toBe(5);
  const placed = seen.filter((event) => typeof event["output_index"] === "number");
  for (const event of placed) {
    const at = Number(event["output_index"]);
    const id = event["item_id"] ?? (event["item"] === undefined ? undefined : objectIn(event["item"])["id"]);
    expect([event["type"], id]).toEqual([event["type"], output[at]?.id]);
  }
  const [, second] = await model.seen();
  const ids = objectsIn(second?.["input"]).flatMap((item) => item["call_id"] ?? []);
  expect(new Set(ids).size).toBe(2);
});

test("the next request continues a response that called tools, without listing them again", async () => {
  await using server = await open();
  await model.play({ calls: [search("omni")] }, { text: "A node." }, { text: "Yes." });
  const first = await server.client.responses.create({ model: "m", input: "what?", tools: [docs] });
  const next = await server.client.responses.create({
    model: "m",
    input: "sure?",
    tools: [docs],
    previous_response_id: first.id,
  });
  expect(types(next.output)).toEqual(["message"]);
  const [, , third] = await model.seen();
  expect(types(third?.["input"])).toEqual([
    "message",
    "function_call",
    "function_call_output",
    "message",
    "message",
  ]);
  const stored = await server.client.responses.retrieve(first.id);
  expect(stored.output).toEqual(first.output);
});

test("a tool that needs approval is asked for, and called once it was given", async () => {
  await using server = await open();
  const removal = { name: "docs__delete", arguments: '{"page":"x"}' };
  await model.play({ calls: [search("x"), removal] }, { text: "Done." });
  const asked = await server.client.responses.create({ model: "m", input: "delete x", tools: [docs] });
  expect(types(asked.output)).toEqual(["mcp_list_tools", "mcp_call", "mcp_approval_request"]);
  expect(asked.status).toBe("completed");
  expect(host.calls.map(({ name }) => name)).toEqual(["docs/search"]);
  const approval = String(asked.output[2]?.id);

  const answer = (approve: boolean) =>
    server.client.responses.create({
      model: "m",
      previous_response_id: asked.id,
      tools: [docs],
      input: [{ type: "mcp_approval_response", approval_request_id: approval, approve }],
    });
  const done = await answer(true);
  expect(done.output).toMatchObject([
    { type: "mcp_call", name: "delete", approval_request_id: approval, output: 'deleted "x"' },
    { type: "message" },
  ]);
  expect(host.calls.at(-1)).toEqual({ name: "docs/delete", args: { page: "x" } });
  const told = objectsIn((await model.seen()).at(-1)?.["input"]);
  expect(told.map((item) => item["type"])).toEqual([
    "message",
    "function_call",
    "function_call_output",
    "function_call",
    "function_call_output",
  ]);
  expect(told.at(-1)?.["output"]).toBe('deleted "x"');

  await answer(false);
  expect(host.calls.filter(({ name }) => name === "docs/delete")).toHaveLength(1);
  const declined = objectsIn((await model.seen()).at(-1)?.["input"]).at(-1);
  expect(declined?.["output"]).toMatch(/did not agree/);
});

test("a call that was agreed to is not made twice by continuing from its answer", async () => {
  await using server = await open();
  await model.play({ calls: [{ name: "docs__delete", arguments: "{}" }] }, { text: "Done." });
  const asked = await server.client.responses.create({ model: "m", input: "delete", tools: [docs] });
  const approval = {
    type: "mcp_approval_response",
    approval_request_id: String(asked.output[1]?.id),
    approve: true,
  } as const;
  const done = await server.client.responses.create({
    model: "m",
    previous_response_id: asked.id,
    tools: [docs],
    input: [approval],
  });
  await server.client.responses.create({
    model: "m",
    previous_response_id: done.id,
    tools: [docs],
    input: [approval],
  });
  expect(host.calls).toHaveLength(1);
  const unknown = server.client.responses.create({
    model: "m",
    tools: [docs],
    input: [{ ...approval, approval_request_id: "mcpr_none" }],
  });
  await expect(unknown).rejects.toMatchObject({ status: 400, code: "approval_not_found" });
});

test("require_approval asks for every tool, for some, or for all but some", async () => {
  await using server = await open();
  const asks = async (require_approval: unknown): Promise<boolean> => {
    await model.play({ calls: [search("x")] }, { text: "Done." });
    const response = await server.client.post<{ output: unknown }>("/responses", {
      body: { model: "m", input: "x", tools: [{ ...docs, require_approval }] },
    });
    return types(response.output).includes("mcp_approval_request");
  };
  expect(await asks("always")).toBe(true);
  expect(await asks("never")).toBe(false);
  expect(await asks(null)).toBe(false);
  expect(await asks({ always: { tool_names: ["search"] } })).toBe(true);
  expect(await asks({ always: { tool_names: ["other"] } })).toBe(false);
  expect(await asks({ never: { tool_names: ["search"] } })).toBe(false);
  expect(await asks({ never: { tool_names: ["other"] } })).toBe(true);
});

test("a call of the client's function hands over with what was done so far", async () => {
  await using server = await open();
  await model.play({ calls: [search("x"), { name: "ask_user", arguments: "{}", id: "call_user" }] });
  const response = await server.client.responses.create({ model: "m", input: "x", tools: [docs, ownTool] });
  expect(types(response.output)).toEqual(["mcp_list_tools", "mcp_call", "function_call"]);
  expect(response.output[1]).toMatchObject({ output: 'found "x"' });
  expect(response.output[2]).toMatchObject({ call_id: "call_user", name: "ask_user" });
  expect(await model.seen()).toHaveLength(1);
});

test("calls of one round run at the same time, no more than the bound", async () => {
  await using server = await open({ parallel: 3 });
  const call = { name: "docs__short", arguments: "" };
  await model.play({ calls: Array.from({ length: 8 }, () => call) }, { text: "Done." });
  const response = await server.client.responses.create({ model: "m", input: "x", tools: [docs] });
  expect(response.output_text).toBe("Done.");
  expect(host.calls).toHaveLength(8);
  expect(host.most).toBe(3);
});

test("every bound ends in an incomplete response that says which", async () => {
  const play = async (bounds: Partial<ToolBounds>, name: string): Promise<JsonObject> => {
    await using server = await open(bounds);
    await model.play({ calls: [{ name, arguments: '{"q":1}' }] });
    const response = await server.client.responses.create({ model: "m", input: "x", tools: [docs] });
    expect(response.status).toBe("incomplete");
    return objectIn(response.incomplete_details);
  };
  expect(await play({ rounds: 3 }, "docs__search")).toMatchObject({
    reason: "max_tool_rounds",
    message: expect.stringContaining("asked 3 times"),
  });
  expect(await play({ calls: 2 }, "docs__search")).toMatchObject({
    reason: "max_tool_calls",
    message: expect.stringContaining("at most 2"),
  });
  expect(await play({ callBytes: 1000, resultBytes: 2000 }, "docs__large")).toMatchObject({
    reason: "max_tool_bytes",
  });
  expect(await play({ time: 200 }, "docs__deaf")).toMatchObject({ reason: "max_tool_time" });
});

test("a client's own max_tool_calls holds", async () => {
  await using server = await open();
  await model.play({ calls: [search("1")] });
  const response = await server.client.responses.create({
    model: "m",
    input: "x",
    tools: [docs],
    max_tool_calls: 1,
  });
  expect(response.incomplete_details).toMatchObject({ reason: "max_tool_calls" });
  expect(host.calls).toHaveLength(1);
});

test("a tool that fails, is late, returns too much or is called with nonsense is a result that the model sees", async () => {
  await using server = await open({ callTime: 100, callBytes: 1001 });
  const calls = [
    { name: "docs__broken", arguments: "{}" },
    { name: "docs__slow", arguments: "{}" },
    { name: "docs__search", arguments: "[not json" },
    { name: "docs__large", arguments: "{}" },
  ];
  await model.play({ calls }, { text: "I see." });
  const response = await server.client.responses.create({ model: "m", input: "x", tools: [docs] });
  expect(response.output_text).toBe("I see.");
  const items = objectsIn(response.output).filter((item) => item["type"] === "mcp_call");
  expect(items.map((item) => item["status"])).toEqual(["failed", "failed", "failed", "completed"]);
  const [, second] = await model.seen();
  const results = objectsIn(second?.["input"])
    .filter((item) => item["type"] === "function_call_output")
    .toSorted((a, b) => String(a["call_id"]).localeCompare(String(b["call_id"])))
    .map((item) => String(item["output"]));
  expect(results[0]).toMatch(/failed: the index is gone/);
  expect(results[1]).toMatch(/ended after 100/);
  expect(results[2]).toMatch(/no JSON object/);
  expect(Buffer.byteLength(results[3] ?? "")).toBeLessThanOrEqual(1001);
  expect(results[3]).toMatch(/^ü+\n\[cut/);
  expect(host.ended).toBe(1);
});

test("servers and tools that a key may not use are refused or not offered", async () => {
  const callers = [
    { ...CALLER, key: "reader", tools: ["docs__sea*"] },
    { ...CALLER, key: "nobody", tools: [] },
  ];
  await using server = await open({}, callers);
  await model.play({ text: "ok" });
  await server.as("reader").responses.create({ model: "m", input: "x", tools: [docs] });
  const [body] = await model.seen();
  expect(objectsIn(body?.["tools"]).map((tool) => tool["name"])).toEqual(["docs__search"]);
  const web = { type: "mcp", server_label: "web" } as const;
  for (const [key, tool] of [
    ["reader", web],
    ["nobody", docs],
  ] as const) {
    const refused = server.as(key).responses.create({ model: "m", input: "x", tools: [tool] });
    await expect(refused).rejects.toMatchObject({ status: 403, code: "tool_server_not_allowed" });
  }
  const typo = server.client.responses.create({
    model: "m",
    input: "x",
    tools: [{ ...docs, server_label: "dcos" }],
  });
  await expect(typo).rejects.toThrow(/Did you mean "docs"/);
});

test("names that are no function names are mapped there and back, allowed_tools and tool_choice by the tool's own", async () => {
  await using server = await open();
  await model.play({ text: "ok" });
  const tools = [{ type: "mcp", server_label: "web" } as const, { ...docs, allowed_tools: ["search"] }];
  const choice = { type: "mcp", server_label: "docs", name: "search" } as const;
  await server.client.responses.create({ model: "m", input: "x", tools, tool_choice: choice });
  const [body] = await model.seen();
  const names = objectsIn(body?.["tools"]).map((tool) => String(tool["name"]));
  expect(names[0]).toMatch(/^web__fetch_page__[0-9a-f]{8}$/);
  expect(names[1]).toBe("docs__search");
  expect(body?.["tool_choice"]).toEqual({ type: "function", name: "docs__search" });
  await model.play({ calls: [{ name: names[0] ?? "", arguments: "{}" }] }, { text: "ok" });
  await server.client.responses.create({ model: "m", input: "x", tools, tool_choice: "required" });
  expect(host.calls.at(-1)?.name).toBe("web/fetch page!");
  expect((await model.seen()).map((asked) => asked["tool_choice"])).toEqual(["required", "auto"]);
});

test("without tool servers, with foreign ones, or with nonsense, the refusal says which member", async () => {
  const events = new MemoryEventLog();
  await using none = await startHosted({ ask: model.ask, events }, store.responses);
  const post = (server: HostedServer, path: string, tool: unknown): Promise<unknown> =>
    server.client.post(path, { body: { model: "m", input: "x", messages, tools: [tool] } });
  for (const path of ["/responses", "/chat/completions"]) {
    await expect(post(none, path, docs)).rejects.toMatchObject({ status: 400, code: "tools_unavailable" });
  }
  await using server = await open();
  for (const [tool, param] of [
    [{ ...docs, server_url: "https://evil.example" }, "tools[0].server_url"],
    [{ ...docs, headers: { a: "b" } }, "tools[0].headers"],
    [{ type: "mcp" }, "tools[0].server_label"],
    [{ ...docs, allowed_tools: 5 }, "tools[0].allowed_tools"],
    [{ ...docs, require_approval: "sometimes" }, "tools[0].require_approval"],
  ] as const) {
    await expect(post(server, "/responses", tool)).rejects.toMatchObject({ status: 400, param });
  }
});

test("a refusal of the engine keeps its status; one in a later round of a stream is a failed response", async () => {
  await using server = await open();
  await model.play({ status: 503 });
  await expect(
    server.client.responses.create({ model: "m", input: "x", tools: [docs], stream: true }),
  ).rejects.toMatchObject({ status: 503, code: "told" });
  await model.play({ calls: [search("x")] }, { status: 500 });
  const seen: JsonObject[] = [];
  for await (const event of await server.client.responses.create({
    model: "m",
    input: "x",
    tools: [docs],
    stream: true,
  }))
    seen.push(objectIn(event));
  expect(seen.at(-1)?.["type"]).toBe("response.failed");
  const failed = objectIn(seen.at(-1)?.["response"]);
  expect(failed["error"]).toEqual({ code: "told", message: "told to fail" });
  expect(types(failed["output"])).toEqual(["mcp_list_tools", "mcp_call"]);
});

test("a stream that is cut never ends as if it were whole", async () => {
  await using server = await open();
  await model.play({ text: "one two three", cutAfter: 4 });
  const seen: JsonObject[] = [];
  for await (const event of await server.client.responses.create({
    model: "m",
    input: "x",
    tools: [docs],
    stream: true,
  }))
    seen.push(objectIn(event));
  expect(seen.at(-1)?.["type"]).toBe("response.failed");
  await model.play({ text: "one two three", cutAfter: 2 });
  const chat = await server.client.chat.completions.create({
    model: "m",
    messages: [...messages],
    tools: [chatDocs],
    stream: true,
  });
  const read = async (): Promise<void> => {
    for await (const chunk of chat) seen.push(objectIn(chunk));
  };
  await expect(read()).rejects.toThrow("it broke");
});

test("an answer that reaches the limit of tokens is incomplete, its calls are not made", async () => {
  await using server = await open();
  await model.play({ calls: [search("x")], finish: "length" });
  const response = await server.client.responses.create({ model: "m", input: "x", tools: [docs] });
  expect(response.incomplete_details).toEqual({ reason: "max_output_tokens" });
  expect(response.output[1]).toMatchObject({ type: "mcp_call", status: "incomplete" });
  expect(host.calls).toEqual([]);
});

test.each([false, true])("a chat calls tools and answers as one, stream %s", async (stream) => {
  await using server = await open();
  await model.play({ reasoning: "hm", text: "Let me see.", calls: [search("x")] }, { text: "There it is." });
  const body = { model: "m", messages: [...messages], tools: [chatDocs] };
  const { choices, usage } = stream
    ? await server.client.chat.completions
        .stream({ ...body, stream_options: { include_usage: true } })
        .finalChatCompletion()
    : await server.client.chat.completions.create(body);
  expect(choices[0]?.message.content).toBe("Let me see.\n\nThere it is.");
  expect(choices[0]?.finish_reason).toBe("stop");
  expect(choices[0]?.message.tool_calls).toBeUndefined();
  expect(usage).toEqual({ prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 });
  const [, second] = await model.seen();
  expect(objectsIn(second?.["messages"]).slice(1)).toEqual([
    {
      role: "assistant",
      content: "Let me see.",
      reasoning_content: "hm",
      tool_calls: [
        { id: "call_0", type: "function", function: { name: "docs__search", arguments: '{"q":"x"}' } },
      ],
    },
    { role: "tool", tool_call_id: "call_0", content: 'found "x"' },
  ]);
});

test("the stream of a chat tells of tools in comments and ends with [DONE]; usage only where it is wanted", async () => {
  await using server = await open();
  await model.play({ calls: [search("x"), { name: "docs__broken", arguments: "{}" }] }, { text: "Done." });
  const answer = await request(`${server.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "m", messages, tools: [docs], stream: true }),
  });
  const text = await answer.body.text();
  const comments = text.split("\n").filter((line) => line.startsWith(":"));
  expect(comments.toSorted()).toEqual([
    ": tool docs__broken called",
    ": tool docs__broken failed",
    ": tool docs__search called",
    ": tool docs__search returned",
  ]);
  expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  expect(text).not.toContain("tool_calls");
  expect(text).not.toContain("usage");
});

test.each([false, true])(
  "a chat hands the client's function over and makes no call whose result would be lost, stream %s",
  async (stream) => {
    await using server = await open();
    await model.play({ calls: [search("x"), { name: "ask_user", arguments: '{"a":1}', id: "call_user" }] });
    const { type: _, ...fn } = ownTool;
    const body = {
      model: "m",
      messages: [...messages],
      tools: [chatDocs, { type: "function" as const, function: fn }],
    };
    const { choices } = stream
      ? await server.client.chat.completions.stream(body).finalChatCompletion()
      : await server.client.chat.completions.create(body);
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { id: "call_user", type: "function", function: { name: "ask_user", arguments: '{"a":1}' } },
    ]);
    expect(host.calls).toEqual([]);
  },
);

test("a chat refuses what needs approval with the reason, and bounds end in an error", async () => {
  await using server = await open({ rounds: 2 });
  await model.play({ calls: [{ name: "docs__delete", arguments: "{}" }] }, { text: "I may not." });
  const body = { model: "m", messages: [...messages], tools: [chatDocs] };
  const done = await server.client.chat.completions.create(body);
  expect(done.choices[0]?.message.content).toBe("I may not.");
  expect(host.calls).toEqual([]);
  const [, second] = await model.seen();
  expect(objectsIn(second?.["messages"]).at(-1)?.["content"]).toMatch(/needs a person's approval/);
  await model.play({ calls: [search("x")] });
  await expect(server.client.chat.completions.create(body)).rejects.toMatchObject({
    status: 422,
    code: "max_tool_rounds",
  });
  await expect(server.client.chat.completions.create({ ...body, n: 2 })).rejects.toMatchObject({
    param: "n",
  });
});

test.each(["/v1/responses", "/v1/chat/completions"])(
  "a client that goes ends model and tools at once: %s",
  async (path) => {
    await using server = await open();
    const leave = async (reached: () => boolean | Promise<boolean>): Promise<void> => {
      const gone = new AbortController();
      const ended = request(server.url + path, {
        method: "POST",
        signal: gone.signal,
        body: JSON.stringify({ model: "m", input: "x", messages, tools: [docs], stream: true }),
      })
        .then(({ body }) => body.text())
        .catch(() => "gone");
      await until(reached);
      gone.abort();
      expect(await ended).toBe("gone");
    };
    await model.play({ calls: [{ name: "docs__slow", arguments: "{}" }] });
    await leave(() => host.running === 1);
    await until(() => host.running === 0);
    expect(host.ended).toBe(1);
    await model.play({ text: "a b c d e f g h", gap: 300 });
    await leave(async () => (await model.seen()).length === 1);
    await until(async () => (await model.aborted()) === 1);
  },
);
