import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthProvider } from "@modelcontextprotocol/client";
import { z } from "zod";
import type { Asker, Hub, HubContext } from "../../../src/mcp/hub.ts";
import { loginUpstream } from "../../../src/mcp/oauth/login-upstream.ts";
import { createUpstreamAuth } from "../../../src/mcp/oauth/upstream-auth.ts";
import { openTokenStore } from "../../../src/mcp/oauth/token-store.ts";
import { openHub } from "../harness/open-hub.ts";

/**
 * The gateway's client half as the program that client scenarios look at: `node client-runner.ts URL` puts the scenario's
 * server behind a hub and uses, through the hub, whatever it has. A scenario's own wishes come in its context.
 */
const url = process.argv.at(-1) ?? "";
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";
const contextSchema = z.object({
  toolCalls: z
    .array(z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) }))
    .optional(),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
});
const wishes = contextSchema.parse(JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}"));

/** Where this client's own metadata would be, for servers that know clients by it; its owner wrote it into the spec. */
const CLIENT_METADATA = "https://conformance-test.local/client-metadata.json";

const asker: Asker = { caller: { key: "local", admin: true, upstream: true, priority: 5 }, channel: "http" };
const base: HubContext = {
  request: "1",
  signal: AbortSignal.timeout(100_000),
  capabilities: { elicitation: { form: {} }, sampling: {} },
};

/** A value of the schema's type. */
function sampleOf(property: unknown): unknown {
  const { type, default: usual } = z
    .looseObject({ type: z.unknown(), default: z.unknown() })
    .partial()
    .parse(property);
  if (usual !== undefined) return usual;
  if (type === "number" || type === "integer") return 5;
  if (type === "boolean") return true;
  if (type === "object") return {};
  return type === "array" ? [] : "test";
}

function samplesOf(schema: unknown): Record<string, unknown> {
  const { properties } = z
    .looseObject({ properties: z.record(z.string(), z.unknown()) })
    .partial()
    .parse(schema);
  return Object.fromEntries(Object.entries(properties ?? {}).map(([name, one]) => [name, sampleOf(one)]));
}

const askedSchema = z.looseObject({
  resultType: z.literal("input_required"),
  inputRequests: z
    .record(
      z.string(),
      z.looseObject({ params: z.looseObject({ requestedSchema: z.unknown() }).partial().optional() }),
    )
    .default({}),
  requestState: z.string().optional(),
});

const failedSchema = z.looseObject({
  isError: z.literal(true),
  content: z.array(z.looseObject({ text: z.string().optional() })),
});

/** Asks, answers what is asked back as a person would who takes every default, and asks again. */
async function rounds(ask: (context: HubContext) => Promise<unknown>): Promise<unknown> {
  let context = base;
  for (let round = 0; round < 5; round++) {
    const answer = await ask(context);
    const asked = askedSchema.safeParse(answer);
    if (!asked.success) return answer;
    const { inputRequests, requestState } = asked.data;
    const inputResponses = Object.fromEntries(
      Object.entries(inputRequests).map(([key, { params }]) => [
        key,
        { action: "accept", content: samplesOf(params?.requestedSchema ?? {}) },
      ]),
    );
    context = { ...base, inputResponses, ...(requestState === undefined ? {} : { requestState }) };
  }
  throw new Error("it asks without end");
}

async function callTools(hub: Hub): Promise<void> {
  // All servers' list is silent about one that cannot be reached; its own says why.
  await hub.toolsOf("fixture", asker, base.signal);
  const tools = await hub.tools(asker, base.signal);
  const focal = tools.find(({ name }) => name === "json_schema_2020_12_tool")?.inputSchema;
  const usual = tools.map(({ name, inputSchema }) => ({
    name,
    arguments: name === "json_schema_echo" ? { schema: focal } : samplesOf(inputSchema),
  }));
  const calls = wishes.toolCalls ?? usual;
  const make = async (call: { name: string; arguments: Record<string, unknown> }): Promise<void> => {
    const result = await rounds((context) => hub.callTool(call.name, call.arguments, asker, context));
    const failed = failedSchema.safeParse(result);
    if (failed.success) throw new Error(failed.data.content.map(({ text }) => text).join(" "));
  };
  // One scenario looks at calls that are under way at the same time; one of its answers is refused, as it has no type.
  if (scenario === "sep-2322-client-request-state") await Promise.allSettled(calls.map(make));
  else for (const call of calls) await make(call);
}

/** Uses everything; what the server does not have is not asked for. */
async function tour(hub: Hub): Promise<void> {
  await callTools(hub);
  for (const { uri } of await hub.resources(asker, base.signal)) {
    await rounds((context) => hub.readResource(uri, asker, context));
  }
  for (const prompt of await hub.prompts(asker, base.signal)) {
    const args = Object.fromEntries((prompt.arguments ?? []).map(({ name }) => [name, "test"]));
    await rounds((context) => hub.getPrompt(prompt.name, args, asker, context));
  }
}

/** A browser in which the person agrees to everything. */
function browse(address: string): void {
  const follow = async (): Promise<void> => {
    const { headers } = await fetch(address, { redirect: "manual" });
    const next = headers.get("location");
    if (next !== null) await fetch(new URL(next, address));
  };
  follow().catch(() => undefined);
}

/** Logs in as the server's refusal says, as `omni mcp login` does, with what the owner wrote into the spec. */
async function login(folder: string): Promise<AuthProvider> {
  const clientId = scenario === "auth/basic-cimd" ? CLIENT_METADATA : wishes.client_id;
  const options = {
    server: "fixture",
    url,
    store: openTokenStore(folder),
    ...(clientId === undefined ? {} : { clientId }),
    ...(wishes.client_secret === undefined ? {} : { clientSecret: wishes.client_secret }),
  };
  await loginUpstream({ ...options, open: browse, signal: base.signal });
  return createUpstreamAuth(options);
}

async function visit(authProvider?: AuthProvider): Promise<void> {
  const hub = openHub({ behind: { url } }, authProvider);
  try {
    await tour(hub);
    const [server] = hub.servers();
    if (server?.state !== "ready") throw new Error(server?.reason ?? "the server is not ready");
  } finally {
    await hub.close();
  }
}

const folder = await mkdtemp(join(tmpdir(), "omni-client-scenario-"));
try {
  if (!scenario.startsWith("auth/")) await visit();
  else {
    const authProvider = await login(folder);
    // Where the login is refused later, the person is told to log in again, and does so once.
    await visit(authProvider).catch(async () => await visit(await login(folder)));
  }
} catch (thrown) {
  process.stderr.write(`${String(thrown)}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
