import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { lookInto } from "../fakes/fake-backends.ts";
import type { GatewayUnderTest } from "../fakes/gateway-under-test.ts";
import { startGateway } from "../fakes/gateway-under-test.ts";

const BODY = '{"model":"a","messages":[{"role":"user","content":"hi"}]}';

let node: GatewayUnderTest;
beforeAll(async () => {
  node = await startGateway([{ name: "a" }], [], { limits: { headerTime: 600, bodyTime: 1_200 } });
});
afterAll(() => node[Symbol.asyncDispose]());

/** Writes bytes as they are and returns all that comes back until the connection ends or is quiet. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(node.url).port), "127.0.0.1");
  let answer = "";
  socket.on("error", () => {}).on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  socket.write(text, "latin1");
  socket.setTimeout(6_000, () => socket.destroy());
  await once(socket, "close");
  return answer;
}

const post = (headers: string, body = BODY): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${headers}\r\n${body}`;
const LENGTH = `content-length: ${BODY.length}\r\n`;

describe("requests that two readers could read differently", () => {
  it.each([
    ["both lengths", post(`${LENGTH}transfer-encoding: chunked\r\n`)],
    ["two different content-lengths", post(`${LENGTH}content-length: 5\r\n`)],
    ["a space before the colon", post(`content-length : ${BODY.length}\r\n`)],
    ["an unknown transfer encoding before chunked", post("transfer-encoding: chunked, identity\r\n")],
    ["a signed length", post("content-length: +57\r\n")],
    ["a folded header", post(`${LENGTH}x-a: 1\r\n b: 2\r\n`)],
    ["a bare line feed in a header", post(`${LENGTH}x-a: 1\nx-b: 2\r\n`)],
    ["a NUL in a header", post(`${LENGTH}x-a: 1\0\r\n`)],
    ["two hosts", post(`${LENGTH}host: evil.example\r\n`)],
    ["no host", `GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n`],
    ["a bad chunk size", post("transfer-encoding: chunked\r\n", "zz\r\nabc\r\n0\r\n\r\n")],
    ["no HTTP at all", "\x16\x03\x01 hello\r\n\r\n"],
  ])("%s: 400, and the engine sees nothing", async (_what, text) => {
    const before = (await lookInto(node.backends, "a")).requests;
    const answer = await raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect((await lookInto(node.backends, "a")).requests).toBe(before);
  });

  it("errors of the parser come in the envelope too", async () => {
    const [, body = ""] = (await raw("NONSENSE\r\n\r\n")).split("\r\n\r\n");
    expect(JSON.parse(body)).toMatchObject({
      error: { type: "invalid_request_error", code: "invalid_http" },
    });
  });

  it("two whole requests on one connection get two answers in their order", async () => {
    const first = `GET /v1/models/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;
    const answer = await raw(first + post(LENGTH));
    expect(answer.match(/HTTP\/1\.1 200 OK/g)?.length).toBe(2);
    expect(answer.indexOf('"object":"model"')).toBeLessThan(answer.indexOf('"chat.completion"'));
  });

  it("a chunked body is read like any other", async () => {
    const chunks = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
    expect(await raw(post("transfer-encoding: chunked\r\n", chunks))).toContain("chat.completion");
  });
});

describe("what is no request behind one that is", () => {
  const told = /^HTTP\/1\.1 200 OK\r\n[^]*HTTP\/1\.1 400 Bad Request\r\n/;

  it.each([
    ["a slow answer", '{"model":"a","messages":[{"role":"user","content":"[stall 200]"}]}'],
    ["a stream", '{"model":"a","stream":true,"messages":[{"role":"user","content":"[slow 20]"}]}'],
  ])("%s comes whole, and then what is wrong", async (_what, body) => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n`;
    const answer = await raw(`${head}${body}NONSENSE\r\n\r\n`);
    expect(answer).toMatch(told);
    const [first = "", second = ""] = answer.split("HTTP/1.1 400 Bad Request");
    expect(first).toMatch(_what === "a stream" ? /\[DONE\]\n\n\r\n0\r\n\r\n$/ : /\}$/);
    expect(second).toContain('"code":"invalid_http"');
  });
});

it("a pipelined request that asks before it sends its body gets its answer whole", async () => {
  const path = "POST /v1/nothing HTTP/1.1\r\nhost: 127.0.0.1\r\n";
  const asking = `${path}expect: 100-continue\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`;
  const first = '{"model":"a","messages":[{"role":"user","content":"[stall 200]"}]}';
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${first.length}\r\n\r\n`;
  const answer = await raw(`${head}${first}${asking}`);
  const [top = "", body = ""] = answer.slice(answer.indexOf("HTTP/1.1 404")).split("\r\n\r\n");
  expect(Number(/content-length: (\d+)/.exec(top)?.[1])).toBe(body.length);
  expect(JSON.parse(body)).toMatchObject({ error: { code: "unknown_path" } });
});

it("a body that is no HTTP is told of in the words of its path", async () => {
  const head = "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n";
  expect(await raw(`${head}zz\r\n`)).toContain('{"type":"error","error":{"type":"invalid_request_error"');
});

describe("requests that are too much", () => {
  it("large headers: 431 in the envelope", async () => {
    const answer = await raw(post(`${LENGTH}x-large: ${"x".repeat(20_000)}\r\n`));
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"code":"headers_too_large"');
  });

  it("headers that drip in: 408, and the connection is gone", async () => {
    const answer = await raw("GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ");
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"request_timeout"');
  });

  it("a body that never ends: 408, and the connection is gone", async () => {
    expect(await raw(post("content-length: 1000\r\n"))).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("others are served meanwhile", async () => {
    const slow = raw("GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ");
    expect((await node.chat("hi")).status).toBe(200);
    await slow;
  });
});

describe("odd targets", () => {
  it.each(["http://evil.example/v1/models", "/../../etc/passwd", "/v1//models", "*", "/v1/models/%00"])(
    "%s is an unknown path or model, no more",
    async (target) => {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    },
  );

  it("CONNECT is refused", async () => {
    const answer = await raw("CONNECT evil.example:443 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    expect(answer).not.toContain(" 200 ");
  });

  it("an upgrade is answered as the plain request that it also is", async () => {
    const upgrade =
      "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n";
    expect(await raw(upgrade)).toMatch(/^HTTP\/1\.1 200 /);
  });
});
