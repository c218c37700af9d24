import { once } from "node:events";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import type { Gateway } from "../../src/gateway/index.ts";
import { createGateway } from "../../src/gateway/index.ts";
import type { Backends } from "../../src/supervisor/backends.ts";
import type { Got } from "../fakes/gateway-under-test.ts";
import { send } from "../fakes/gateway-under-test.ts";
import { MemoryEventLog } from "../fakes/memory-event-log.ts";
import { ScriptedTools } from "../fakes/scripted-tools.ts";

/** The bytes with which the engine answers. */
let wire = "";
let engine: Server;
let backends: Backends;
let gateway: Gateway;
let url = "";

beforeAll(async () => {
  engine = createServer((socket) => {
    socket.on("error", () => socket.destroy()).on("data", () => socket.end(wire));
  }).listen(0, "127.0.0.1");
  await once(engine, "listening");
  const address = engine.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const view = {
    engine: "odd",
    state: "ready",
    restarts: 0,
    since: 0,
    contextTokens: 4096,
    parallel: 8,
  } as const;
  const at = { kind: "tcp", host: "127.0.0.1", port } as const;
  backends = {
    services: () => ["vllm", "anthropic"].map((kind) => ({ ...view, name: kind, model: kind, kind })),
    routes: () => ROUTES,
    address: () => at,
    acquire: (kind) => ({ address: at, kind, release: () => {} }),
    demand: () => () => {},
    whenReady: () => Promise.resolve(true),
    reportBroken: () => {},
    diagnostics: () => [],
  };
  const events = new MemoryEventLog();
  const limits = { attempts: 1 };
  gateway = createGateway({ backends, events, host: "127.0.0.1", port: 0, version: "0.0.1", limits });
  ({ url } = await gateway.listen());
});

afterAll(async () => {
  await gateway.close(0);
  engine.close();
});

const answering = (status: string, headers: string, body: string): string =>
  `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const ROUTES = [{ name: "either", services: ["anthropic", "vllm"] }] as const;
const MESSAGE = { model: "vllm", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };
const post = (path: string, body: unknown): Promise<Got> => send(url, "POST", path, body);

describe("a body that was written anew is JSON, whatever the engine said of its own", () => {
  it("an error that an engine calls a stream", async () => {
    wire = answering("422 Odd", "content-type: text/event-stream\r\n", "no");
    const answer = await post("/v1/messages", { ...MESSAGE, stream: true });
    expect(answer.status).toBe(422);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(answer.text)).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error" },
    });
  });

  it("an answer without a type", async () => {
    const choice = { index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" };
    wire = answering("200 OK", "", JSON.stringify({ choices: [choice] }));
    const answer = await post("/v1/messages", MESSAGE);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(answer.text)).toMatchObject({
      type: "message",
      content: [{ type: "text", text: "hi" }],
    });
  });

  it("in the engine's own dialect its words and its type stand", async () => {
    wire = answering("422 Odd", "content-type: text/html\r\n", "<p>no</p>");
    const answer = await post("/v1/chat/completions", MESSAGE);
    expect(answer.headers["content-type"]).toBe("text/html");
    expect(answer.text).toBe("<p>no</p>");
  });
});

it("a service whose engine cannot be asked for this is passed over, and the next one answers", async () => {
  const completion = '{"object":"text_completion","choices":[{"text":"hello","finish_reason":"stop"}]}';
  wire = answering("200 OK", "content-type: application/json\r\n", completion);
  const got = await post("/v1/completions", { model: "either", prompt: "hi" });
  expect([got.status, got.headers["x-omni-service"], got.text]).toEqual([200, "vllm", completion]);
  const nobody = await post("/v1/completions", { model: "anthropic", prompt: "hi" });
  expect([nobody.status, nobody.text]).toEqual([400, expect.stringContaining("does not speak completions")]);
});

test("an event that is too large to be read ends rounds of tools with an error, and nothing else", async () => {
  const tools = new ScriptedTools({ docs: { search: { run: () => "found" } } });
  const limits = { attempts: 1, eventBytes: 2_000 };
  const events = new MemoryEventLog();
  const options = { backends, events, host: "127.0.0.1", port: 0, version: "0.0.1", limits, tools };
  const small = createGateway(options);
  const { url: at } = await small.listen();
  const chunk = (text: string): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
  const stream = "content-type: text/event-stream\r\n";
  for (const [body, told] of [
    [chunk("a") + chunk("x".repeat(9_000)), /"error":/],
    // Of one that never ends, nothing but its beginning came.
    [chunk("a") + chunk("x".repeat(9_000)).slice(0, 6_000), /"error":/],
    [`${chunk("a")}data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n`, /data: \[DONE\]/],
  ] as const) {
    wire = answering("200 OK", stream, body);
    const hosted = [{ type: "mcp", server_label: "docs" }];
    const asked = { ...MESSAGE, stream: true, tools: hosted };
    const answer = await send(at, "POST", "/v1/chat/completions", asked);
    expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(told)]);
  }
  await small.close(0);
});
