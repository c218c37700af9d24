import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { request } from "undici";
import { describe, expect, it } from "vitest";

import { direct, lookInto } from "../fakes/fake-backends.ts";
import type { GatewayUnderTest } from "../fakes/gateway-under-test.ts";
import { chatBody, startGateway, until } from "../fakes/gateway-under-test.ts";

const CHAT = "/v1/chat/completions";

/** Sends a streaming chat over a socket of its own, so that the test decides when it reads. */
function openRaw(node: GatewayUnderTest, content: string): Socket {
  const { port } = new URL(node.url);
  const body = JSON.stringify(chatBody(content, { stream: true }));
  const socket = connect(Number(port), "127.0.0.1");
  const head = `POST ${CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n`;
  socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  return socket;
}

describe("byte for byte", () => {
  it.each([
    "hello there",
    "split me [bytewise]",
    "many [words 2000]",
    "gaps [slow 3]",
    "no end mark [no-done]",
  ])("the client sees what the engine wrote: %s", async (content) => {
    await using node = await startGateway([{ name: "a", transport: "tcp" }]);
    const body = chatBody(content, { stream: true });
    const through = await node.post(CHAT, body);
    const { body: straight } = await direct(node.backends, "a", CHAT, body);
    expect(through.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(through.headers).toMatchObject({ "x-omni-service": "a", "x-omni-attempts": "1" });
    expect(through.body.equals(straight)).toBe(true);
    expect(through.text).not.toContain('"error"');
  });

  it("also for answers that are no stream, small and larger than what is held", async () => {
    await using node = await startGateway([{ name: "a" }], [], { limits: { holdBytes: 10_000 } });
    for (const content of ["plain", "[large 5000000] x"]) {
      const { body: straight } = await direct(node.backends, "a", CHAT, chatBody(content));
      expect((await node.chat(content)).body.equals(straight)).toBe(true);
    }
  });

  it("passes each event on when it comes, not when the next does", async () => {
    await using node = await startGateway();
    const answer = await request(node.url + CHAT, {
      method: "POST",
      body: JSON.stringify(chatBody("one two three [stall-after 2]", { stream: true })),
    });
    let text = "";
    answer.body.on("error", () => {}).on("data", (chunk: Buffer) => (text += chunk.toString()));
    await until(() => text.split("\n\n").length === 3);
    expect(text).toContain('"one "');
    expect(text).toContain('"two "');
    answer.body.destroy();
  });
});

describe("many at once", () => {
  it("200 streams reach their own clients whole", async () => {
    await using node = await startGateway();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => node.chat(`client ${i} [slow 2]`, { stream: true })),
    );
    for (const [i, answer] of answers.entries()) {
      expect(answer.status).toBe(200);
      expect(answer.text).toContain(`"content":"${i} "`);
      expect(answer.text.endsWith("data: [DONE]\n\n")).toBe(true);
    }
  });
});

describe("slow clients", () => {
  it("hold their engine back instead of filling the gateway's memory", async () => {
    await using node = await startGateway();
    const total = 150_000;
    const socket = openRaw(node, `[words ${total}] x`);
    socket.pause();
    let last = -1;
    await until(async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { events } = await lookInto(node.backends, "a");
      const still = events === last && events > 0;
      last = events;
      return still;
    });
    expect(last).toBeLessThan(total);
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.resume();
    await once(socket, "close");
    expect(text.match(/"content":"w\d+ "/g)?.length).toBe(total);
    expect(text).toContain("data: [DONE]\n\n");
  });

  it("are let go when they never read again", async () => {
    await using node = await startGateway([{ name: "a" }], [], { limits: { idleTime: 2_000 } });
    const socket = openRaw(node, "[words 100000] x");
    socket.on("error", () => {}).pause();
    await until(async () => (await lookInto(node.backends, "a")).aborted === 1);
    expect(node.events.kinds()).toEqual([]);
    socket.destroy();
  });
});

describe("a client that hangs up", () => {
  it.each([
    ["during a stream", "[words 5000] [slow 5] x", true],
    ["before a stream begins", "[stall] x", true],
    ["before an answer that is no stream", "[stall] x", false],
  ])("frees the engine at once: %s", async (_when, content, stream) => {
    await using node = await startGateway();
    const abort = new AbortController();
    const answer = request(node.url + CHAT, {
      method: "POST",
      body: JSON.stringify(chatBody(content, { stream })),
      signal: abort.signal,
    }).then(({ body }) => body.text());
    answer.catch(() => {});
    await until(async () => (await lookInto(node.backends, "a")).requests === 1);
    abort.abort();
    await expect(answer).rejects.toThrow("aborted");
    await until(async () => (await lookInto(node.backends, "a")).aborted === 1);
    const status = JSON.parse((await node.get("/api/status")).text);
    expect(status.traffic.a).toMatchObject({ inFlight: 0, retried: 0, cut: 0 });
    expect(node.events.kinds()).toEqual([]);
  });

  it("while it waits for a service ends the wait", async () => {
    await using node = await startGateway([{ name: "a", start: false }]);
    node.backends.set("a", "loading");
    const abort = new AbortController();
    const answer = request(node.url + CHAT, {
      method: "POST",
      body: JSON.stringify(chatBody("x")),
      signal: abort.signal,
    });
    answer.catch(() => {});
    await until(() => node.backends.waiting === 1);
    abort.abort();
    await expect(answer).rejects.toThrow("aborted");
    await until(() => node.backends.waiting === 0);
  });
});
