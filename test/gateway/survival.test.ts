import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";

import { direct, lookInto } from "../fakes/fake-backends.ts";
import type { Got } from "../fakes/gateway-under-test.ts";
import { chatBody, startGateway, until } from "../fakes/gateway-under-test.ts";

const CHAT = "/v1/chat/completions";
const STREAM = { stream: true };
const AB = { name: "oracle", services: ["a", "b"] };

/** Service "a" breaks every request as ordered, "b" behaves. */
const broken = (orders: string, restartAfter = 100) => [
  { name: "a", restartAfter, environment: { FAKE_ORDERS: orders } },
  { name: "b" },
];

const errorOf = (text: string): Record<string, unknown> => JSON.parse(text).error;

/** The last event of a stream, parsed. */
function lastEvent(answer: Got): Record<string, unknown> {
  expect(answer.text.endsWith("\n\n")).toBe(true);
  const last = answer.text.trimEnd().split("\n\n").at(-1) ?? "";
  expect(last.startsWith("data: ")).toBe(true);
  return JSON.parse(last.slice("data: ".length));
}

describe("before the client saw a byte", () => {
  it.each([
    ["killed before the head", "[die-before-head]", false],
    ["killed before the head of a stream", "[die-before-head]", true],
    ["killed between head and first event", "[head-then-die]", true],
    ["killed after a comment alone", "[comment-then-die]", true],
    ["killed before the first event was whole", "[cut-after 0]", true],
    ["ended a stream without any event", "[end-after 0]", true],
    ["reset the connection", "[reset-before-head]", false],
    ["cut the body", "[cut-body]", false],
    ["cut a body that only the connection's end delimits", "[close-delimited-cut]", false],
    ["did not speak HTTP", "[garbage]", false],
    ["answered 503", "[503]", false],
    ["answered 502", "[502]", true],
  ])("an engine that %s is replaced by the next", async (_what, orders, stream) => {
    await using node = await startGateway(broken(orders), [AB]);
    const answer = await node.chat("hello", { model: "oracle", stream });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "x-omni-service": "b",
      "x-omni-attempts": "2",
      "x-omni-route": "oracle",
    });
    const { body: straight } = await direct(
      node.backends,
      "b",
      CHAT,
      chatBody("hello", { model: "b", stream }),
    );
    expect(answer.body.equals(straight)).toBe(true);
    expect(node.events.events).toMatchObject([
      { kind: "request.retried", service: "a", severity: "warning", data: { route: "oracle", attempt: 1 } },
    ]);
    expect(node.backends.reports).toMatchObject([{ service: "a" }]);
  });

  it("the same service is tried again once it is back", async () => {
    await using node = await startGateway([{ name: "a", restartAfter: 300 }]);
    const answers = Array.from({ length: 20 }, (_, i) => node.chat(`n${i} [slow 2000]`));
    await until(async () => (await lookInto(node.backends, "a")).requests === 20);
    node.backends.kill("a");
    for (const [i, answer] of (await Promise.all(answers)).entries()) {
      expect(answer.status).toBe(200);
      expect(answer.text).toContain(`n${i} `);
      expect(answer.headers["x-omni-attempts"]).toBe("2");
    }
  });

  it("an engine that always dies is asked three times, and the client told", async () => {
    await using node = await startGateway([
      { name: "a", restartAfter: 50, environment: { FAKE_ORDERS: "[die-before-head]" } },
    ]);
    const answer = await node.chat("x");
    expect(answer.status).toBe(502);
    expect(answer.headers["x-omni-attempts"]).toBe("3");
    expect(errorOf(answer.text)).toMatchObject({
      type: "server_error",
      code: "upstream_failed",
      param: null,
    });
    expect(node.events.kinds()).toEqual(["request.retried", "request.retried", "request.failed"]);
  });

  it("retries stay within their budget when everything fails at once", async () => {
    await using node = await startGateway([
      { name: "a", environment: { FAKE_ORDERS: "[reset-before-head]" } },
    ]);
    const answers = await Promise.all(Array.from({ length: 100 }, () => node.chat("x")));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([502]));
    const { requests } = await lookInto(node.backends, "a");
    expect(requests).toBeGreaterThan(110);
    expect(requests).toBeLessThan(175);
  });

  it("a service that nobody listens for is skipped, one that is down for good is explained", async () => {
    await using node = await startGateway([{ name: "a" }, { name: "b" }], [AB]);
    node.backends.kill("a");
    await until(() => node.backends.address("a") === undefined);
    expect((await node.chat("x", { model: "oracle" })).headers["x-omni-service"]).toBe("b");
    const alone = await node.chat("x");
    expect([alone.status, alone.headers["retry-after"]]).toEqual([503, "30"]);
    expect(errorOf(alone.text)).toMatchObject({
      code: "model_unavailable",
      loading: { service: "a", state: "failed", reason: "its process ended" },
    });
  });
});

describe("after the client saw a part", () => {
  it.each([
    ["killed", "[die-after 3]", "upstream_cut"],
    ["cut inside an event", "[cut-after 3]", "upstream_cut"],
    ["ended cleanly without an end", "[end-after 3]", "upstream_cut"],
    ["silent", "[stall-after 3]", "upstream_timeout"],
  ])("a stream whose engine was %s ends with an error event", async (_how, orders, code) => {
    await using node = await startGateway([{ name: "a", restartAfter: 100 }, { name: "b" }], [AB], {
      limits: { idleTime: 1_500 },
    });
    const answer = await node.chat(`one two three four ${orders}`, { model: "oracle", ...STREAM });
    expect(answer.status).toBe(200);
    const events = answer.text.trimEnd().split("\n\n");
    expect(events.length).toBe(4);
    for (const event of events) expect(() => JSON.parse(event.replace("data: ", ""))).not.toThrow();
    expect(lastEvent(answer)).toMatchObject({ error: { type: "server_error", code, param: null } });
    expect(answer.text).not.toContain("[DONE]");
    expect(node.events.events.at(-1)).toMatchObject({ kind: "request.cut", service: "a" });
    expect((await lookInto(node.backends, "b")).requests).toBe(0);
  });

  it("the connection goes on behind the error event", async () => {
    await using node = await startGateway([{ name: "a", restartAfter: 100 }]);
    const body = JSON.stringify(chatBody("one two [die-after 1]", STREAM));
    const socket = connect(Number(new URL(node.url).port), "127.0.0.1");
    socket.write(`POST ${CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    socket.write("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, "end");
    expect(text).toContain('data: {"error"');
    expect(text).toMatch(/\r\n0\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  it("the engine is back for the next request", async () => {
    await using node = await startGateway([{ name: "a", restartAfter: 200 }]);
    expect((await node.chat("one two [die-after 1]", STREAM)).text).toContain('"error"');
    expect((await node.chat("again")).status).toBe(200);
  });

  it("an engine's own error event ends the stream in Omni's words and with its own", async () => {
    await using node = await startGateway();
    const answer = await node.chat("one [error-after 1]", STREAM);
    expect(answer.text.match(/"error"/g)?.length).toBe(1);
    expect(lastEvent(answer)).toMatchObject({
      error: { code: "upstream_cut", message: expect.stringContaining("told to fail") },
    });
    expect(node.events.kinds()).toEqual(["request.cut"]);
  });

  it("an engine that dies after [DONE] has said everything", async () => {
    await using node = await startGateway([{ name: "a", restartAfter: 100 }]);
    const answer = await node.chat("one [die-after-done]", STREAM);
    expect(answer.text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(node.events.kinds()).toEqual([]);
  });

  it("a large answer that is no stream ends with a destroyed connection, never as if it were whole", async () => {
    await using node = await startGateway([{ name: "a" }], [], { limits: { holdBytes: 1_000 } });
    await expect(node.chat("[large 2000000] [cut-body] x")).rejects.toThrow("other side closed");
    expect(node.events.kinds()).toEqual(["request.cut"]);
  });
});

describe("what engines say themselves", () => {
  it("500 is asked of another service, and passes through where there is none", async () => {
    await using node = await startGateway(broken("[500]"), [AB]);
    const elsewhere = await node.chat("hello", { model: "oracle" });
    expect([elsewhere.status, elsewhere.headers["x-omni-service"]]).toEqual([200, "b"]);
    const alone = await node.chat("hello");
    expect(alone.status).toBe(500);
    expect(errorOf(alone.text)["message"]).toBe("told to answer 500");
    expect(alone.headers).toMatchObject({ "x-omni-service": "a", "x-omni-attempts": "1" });
    expect(node.backends.reports).toEqual([]);
    expect(node.backends.wrong).toEqual(["a", "a"]);
  });

  it("an event that is no JSON is as good as a cut", async () => {
    await using node = await startGateway([{ name: "a" }]);
    const answer = await node.chat("one two three four [half-event 2]", { ...STREAM });
    const events = answer.text.trimEnd().split("\n\n");
    expect(lastEvent(answer)).toMatchObject({ error: { code: "upstream_cut" } });
    expect(events.slice(0, -1).every((event) => event.endsWith("}"))).toBe(true);
    expect(answer.text).not.toContain("[DONE]");
  });

  it.each([400, 404, 422])("%i passes through as it is, without another try", async (status) => {
    await using node = await startGateway([{ name: "a" }, { name: "b" }], [AB]);
    const answer = await node.chat(`[${status}] x`, { model: "oracle" });
    expect(answer.status).toBe(status);
    expect(errorOf(answer.text)["message"]).toBe(`told to answer ${status}`);
    expect(answer.headers).toMatchObject({ "x-omni-service": "a", "x-omni-attempts": "1" });
  });

  it("429 is asked of another service, and passes through as it is where there is none", async () => {
    await using node = await startGateway(broken("[429]"), [AB]);
    const elsewhere = await node.chat("x", { model: "oracle" });
    expect([elsewhere.status, elsewhere.headers["x-omni-service"]]).toEqual([200, "b"]);
    const alone = await node.chat("x");
    expect([alone.status, alone.headers["retry-after"], alone.headers["x-omni-attempts"]]).toEqual([
      429,
      "7",
      "1",
    ]);
    expect(errorOf(alone.text)["message"]).toBe("told to answer 429");
    expect(node.backends.reports).toEqual([]);
  });

  it("a silent engine is given up after the idle time, and another one is asked", async () => {
    await using node = await startGateway([{ name: "a" }, { name: "b" }], [AB], {
      limits: { idleTime: 1_000 },
    });
    const answer = await node.chat("[stall] x", { model: "oracle" });
    expect([answer.status, errorOf(answer.text)["code"]]).toEqual([504, "upstream_timeout"]);
    expect(answer.headers["x-omni-attempts"]).toBe("2");
    expect(answer.text).toContain("1 s");
  });
});

describe("loading", () => {
  it("is waited for", async () => {
    await using node = await startGateway([{ name: "a", start: false }]);
    node.backends.set("a", "loading", { progress: 0.1 });
    const answer = node.chat("x");
    setTimeout(() => void node.backends.start("a"), 300);
    expect((await answer).status).toBe(200);
    expect((await answer).headers["x-omni-attempts"]).toBe("1");
  });

  it("beyond the limit is answered with how far it is", async () => {
    await using node = await startGateway([{ name: "a", start: false }], [], {
      limits: { loadingWait: 300 },
    });
    node.backends.set("a", "loading", { progress: 0.37 });
    const answer = await node.chat("x");
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "5"]);
    expect(errorOf(answer.text)).toMatchObject({
      code: "model_loading",
      message: 'No service of "a" is ready: "a" is loading (37 %).',
      loading: { service: "a", state: "loading", progress: 0.37 },
    });
  });

  it("of an engine that says 503 by itself is waited for as well", async () => {
    await using node = await startGateway([{ name: "a", environment: { FAKE_LOADING_MS: "600" } }]);
    node.backends.onReport = (service) => {
      node.backends.set(service, "loading");
      setTimeout(() => node.backends.set(service, "ready"), 700);
    };
    const answer = await node.chat("x");
    expect([answer.status, answer.headers["x-omni-attempts"]]).toEqual([200, "2"]);
  });

  it("of the first service is no reason to wait when the second is ready", async () => {
    await using node = await startGateway([{ name: "a", start: false }, { name: "b" }], [AB]);
    node.backends.set("a", "loading");
    expect((await node.chat("x", { model: "oracle" })).headers["x-omni-service"]).toBe("b");
  });
});
