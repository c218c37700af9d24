import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { FakeHub } from "../../fakes/mcp-hub.ts";
import { type EndpointServer, serveEndpoint } from "./endpoint-server.ts";
import { type Answer, answerOf, referenceModern, referenceSession } from "./sdk-reference.ts";

/** The same requests, to the endpoint and to the SDK's own serving of the same hub: the same answers. */
const VERSION = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const LEVEL = "io.modelcontextprotocol/logLevel";
const META = { [VERSION]: "2026-07-28", [CAPABILITIES]: {} };

interface Case {
  readonly body: unknown;
  /** Instead of those that say what the body says; an absent value leaves a header out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

const call = (name: unknown, args: unknown, meta: object = {}, more: object = {}): object => ({
  jsonrpc: "2.0",
  id: 7,
  method: "tools/call",
  params: { name, arguments: args, _meta: { ...META, ...meta }, ...more },
});
const ask = (method: string, params: object = {}): object => ({
  jsonrpc: "2.0",
  id: "a",
  method,
  params: { ...params, _meta: META },
});
const bare = (method: string, params?: object): object => ({ jsonrpc: "2.0", id: 3, method, params });

const MODERN: Readonly<Record<string, Case>> = {
  "a call": { body: call("echo", { text: "x" }) },
  "a call without arguments": { body: call("fail", undefined) },
  "a call that asks for progress": { body: call("echo", { text: "x" }, { progressToken: 9 }) },
  "a call with trace context": { body: call("echo", { text: "x" }, { traceparent: "00-1-2-01" }) },
  "a call with a log level": { body: call("echo", { text: "x" }, { [LEVEL]: "debug" }) },
  "a log level that is none": { body: call("echo", { text: "x" }, { [LEVEL]: "loud" }) },
  "a client that names itself": {
    body: call("echo", {}, { "io.modelcontextprotocol/clientInfo": { name: "c", version: "1" } }),
  },
  "a client that names itself wrongly": {
    body: call("echo", {}, { "io.modelcontextprotocol/clientInfo": { name: 1 } }),
  },
  "capabilities that are none": { body: call("echo", {}, { [CAPABILITIES]: "all" }) },
  "no capabilities": { body: call("echo", {}, { [CAPABILITIES]: undefined }) },
  "an unknown tool": { body: call("none", {}) },
  "a result that is no object": { body: call("list", {}) },
  "arguments that are a list": { body: call("echo", [1]) },
  "arguments with a prototype": {
    body: '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"__proto__":{"a":1},"text":"x"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}',
    headers: { "mcp-method": "tools/call", "mcp-name": "echo" },
  },
  "a name that is a number": { body: call(1, {}), headers: { "mcp-name": "1" } },
  "what a client cannot be asked": { body: call("ask", {}) },
  "what a client can be asked": {
    body: call("ask", {}, { [CAPABILITIES]: { elicitation: { form: {} } } }),
  },
  "an answer to a question": {
    body: call(
      "ask",
      {},
      { [CAPABILITIES]: { elicitation: {} } },
      { inputResponses: { name: { action: "accept", content: {} } }, requestState: "state-1" },
    ),
  },
  "a state that is no text": { body: call("ask", {}, {}, { requestState: 5 }) },
  "another member of the call": { body: call("echo", { text: "x" }, {}, { other: 1 }) },
  "another member of the message": { body: { ...call("echo", { text: "x" }), other: 1 } },
  "another name in the header": { body: call("echo", {}), headers: { "mcp-name": "other" } },
  "no name in the header": { body: call("echo", {}), headers: { "mcp-name": undefined } },
  "a wrapped name": {
    body: call("echo", { text: "x" }),
    headers: { "mcp-name": `=?base64?${Buffer.from("echo").toString("base64")}?=` },
  },
  "a broken wrapping": { body: call("echo", {}), headers: { "mcp-name": "=?base64?%%%?=" } },
  "another method in the header": { body: call("echo", {}), headers: { "mcp-method": "tools/list" } },
  "no method in the header": { body: call("echo", {}), headers: { "mcp-method": undefined } },
  "another version in the header": {
    body: call("echo", {}),
    headers: { "mcp-protocol-version": "2025-11-25" },
  },
  "no version in the header": { body: call("echo", {}), headers: { "mcp-protocol-version": undefined } },
  "a version of the future": {
    body: call("echo", {}, { [VERSION]: "2099-01-01" }),
    headers: { "mcp-protocol-version": "2099-01-01" },
  },
  "a version in the header alone": { body: bare("tools/list", {}) },
  "an id that is a fraction": { body: { ...call("echo", {}), id: 1.5 } },
  "an id that is null": { body: { ...call("echo", {}), id: null } },
  "no JSON": { body: '{"jsonrpc":' },
  "no message": { body: { hello: 1 } },
  "a batch": { body: [call("echo", {})] },
  "no message in a list": { body: [] },
  "another type": { body: call("echo", {}), headers: { "content-type": "text/plain" } },
  "a type with a parameter": {
    body: call("echo", { text: "x" }),
    headers: { "content-type": "application/json; charset=utf-8" },
  },
  discovery: { body: ask("server/discover") },
  "the list of tools": { body: ask("tools/list") },
  "a second page": { body: ask("tools/list", { cursor: "2" }) },
  "the list of resources": { body: ask("resources/list") },
  "the list of templates": { body: ask("resources/templates/list") },
  "the list of prompts": { body: ask("prompts/list") },
  "a resource": { body: ask("resources/read", { uri: "fake://one" }) },
  "a resource that is not there": { body: ask("resources/read", { uri: "fake://two" }) },
  "a prompt": { body: ask("prompts/get", { name: "greet", arguments: { who: "A" } }) },
  "a completion": {
    body: ask("completion/complete", {
      ref: { type: "ref/prompt", name: "greet" },
      argument: { name: "who", value: "" },
    }),
  },
  "a method that is gone": { body: ask("ping") },
  "a method that never was": { body: ask("tools/destroy") },
  "initialize in the wrong era": { body: ask("initialize") },
  "listening to nothing": { body: ask("subscriptions/listen") },
};

/** Headers that say what a body says. */
function headersFor({ body, headers = {} }: Case, version: string): Headers {
  const found = new Headers({
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": version,
  });
  const message = typeof body === "object" && body !== null && !Array.isArray(body) ? body : {};
  const params = "params" in message && typeof message.params === "object" ? message.params : null;
  if (version === "2026-07-28") {
    if ("method" in message) found.set("mcp-method", String(message.method));
    if (params !== null && "name" in params) found.set("mcp-name", String(params.name));
    if (params !== null && "uri" in params) found.set("mcp-name", String(params.uri));
  }
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) found.delete(name);
    else found.set(name, value);
  }
  return found;
}

const textOf = (body: unknown): string => (typeof body === "string" ? body : JSON.stringify(body));

/** A refusal of the transport names the request here, where the SDK's sessions name none; versions are this endpoint's own. */
function essence({ status, type, body }: Answer): unknown {
  if (status < 400) return { status, type, body };
  const { error } = REFUSAL.parse(body);
  return { status, type, ...error, message: error.message.replace(/\(supported versions.*\)/u, "") };
}

const REFUSAL = z.object({
  error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }),
});

describe("the stateless era, as the SDK serves it", () => {
  let server: EndpointServer;
  let reference: ReturnType<typeof referenceModern>;

  beforeAll(async () => {
    server = await serveEndpoint(new FakeHub());
    reference = referenceModern(new FakeHub());
  });

  afterAll(() => server.close());

  it.each(Object.keys(MODERN))("%s", async (name) => {
    const asked = MODERN[name] ?? { body: "" };
    const init = { method: "POST", headers: headersFor(asked, "2026-07-28"), body: textOf(asked.body) };
    const expected = await reference(new Request(server.url, init));
    // Twice: the second time an envelope is known that was right.
    await answerOf(await fetch(server.url, init));
    const actual = await answerOf(await fetch(server.url, init));
    expect(actual).toEqual(expected);
  });
});

const SESSION: Readonly<Record<string, Case>> = {
  "a call": { body: bare("tools/call", { name: "echo", arguments: { text: "x" } }) },
  "a call without arguments": { body: bare("tools/call", { name: "fail" }) },
  "an unknown tool": { body: bare("tools/call", { name: "none" }) },
  "a result that is no object": { body: bare("tools/call", { name: "list" }) },
  "what a client cannot be asked": { body: bare("tools/call", { name: "ask" }) },
  "arguments that are a list": { body: bare("tools/call", { name: "echo", arguments: [] }) },
  "no name": { body: bare("tools/call", {}) },
  "another member of the call": { body: bare("tools/call", { name: "echo", other: 1 }) },
  "the list of tools": { body: bare("tools/list") },
  "a result after the list": { body: bare("tools/call", { name: "list" }) },
  "the list of resources": { body: bare("resources/list") },
  "a resource": { body: bare("resources/read", { uri: "fake://one" }) },
  "a resource that is not there": { body: bare("resources/read", { uri: "fake://two" }) },
  "a prompt": { body: bare("prompts/get", { name: "greet" }) },
  "a ping": { body: bare("ping") },
  "a method that never was": { body: bare("tools/destroy") },
  "a method of the other era": { body: bare("server/discover") },
  "a notification": { body: { jsonrpc: "2.0", method: "notifications/initialized" } },
  "an answer to nothing": { body: { jsonrpc: "2.0", id: 99, result: {} } },
  "a version that is none": {
    body: bare("tools/list"),
    headers: { "mcp-protocol-version": "1999-01-01" },
  },
  "no stream accepted": { body: bare("tools/list"), headers: { accept: "application/json" } },
  "no JSON accepted": {
    body: bare("tools/call", { name: "echo" }),
    headers: { accept: "text/event-stream" },
  },
  "a second beginning": {
    body: bare("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "c", version: "1" },
    }),
  },
};

describe("a session, as the SDK serves it", () => {
  let server: EndpointServer;
  let reference: Awaited<ReturnType<typeof referenceSession>>;
  let id = "";
  let begun: readonly unknown[] = [];

  beforeAll(async () => {
    server = await serveEndpoint(new FakeHub());
    reference = await referenceSession(new FakeHub());
    const init = {
      method: "POST",
      headers: headersFor({ body: "" }, "2025-11-25"),
      body: textOf(
        bare("initialize", {
          protocolVersion: "2025-11-25",
          capabilities: {},
          clientInfo: { name: "c", version: "1" },
        }),
      ),
    };
    const response = await fetch(server.url, init);
    id = response.headers.get("mcp-session-id") ?? "";
    begun = [await answerOf(response), await reference.ask(new Request(server.url, init))];
  });

  afterAll(async () => {
    await reference.close();
    await server.close();
  });

  it("begins in the same way", () => {
    expect(begun[0]).toEqual(begun[1]);
  });

  it.each(Object.keys(SESSION))("%s", async (name) => {
    const asked = SESSION[name] ?? { body: "" };
    const headers = headersFor(asked, "2025-11-25");
    const body = textOf(asked.body);
    const own = new Headers(headers);
    own.set("mcp-session-id", id);
    headers.set("mcp-session-id", "reference");
    const expected = await reference.ask(new Request(server.url, { method: "POST", headers, body }));
    const actual = await answerOf(await fetch(server.url, { method: "POST", headers: own, body }));
    expect(essence(actual)).toEqual(essence(expected));
  });
});
