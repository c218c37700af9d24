import { connect } from "node:net";
import { Readable } from "node:stream";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { GatewayUnderTest } from "../fakes/gateway-under-test.ts";
import { chatBody, startGateway } from "../fakes/gateway-under-test.ts";
import { lookInto } from "../fakes/fake-backends.ts";

const LIMIT = 4 * 1024 * 1024;
const CHAT = "/v1/chat/completions";

let node: GatewayUnderTest;
beforeAll(async () => {
  node = await startGateway([{ name: "a" }, { name: "b" }], [{ name: "oracle", services: ["a"] }], {
    limits: { bodyBytes: LIMIT },
  });
});
afterAll(() => node[Symbol.asyncDispose]());

async function* spaces(): AsyncGenerator<Buffer> {
  for (let i = 0; i < 80; i++) yield Buffer.alloc(64 * 1024, 0x20);
}

const errorOf = (text: string): Record<string, unknown> => JSON.parse(text).error;

describe("what the engine gets", () => {
  it("is the body byte for byte, with only the model's name replaced", async () => {
    const strange =
      '{ "seed":1.50e1, "model" : "oracle", "messages":[{"role":"user","content":"\\u00fc model"}] }\n';
    const { status, headers } = await node.post(CHAT, strange);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "x-omni-service": "a",
      "x-omni-engine": "fake",
      "x-omni-attempts": "1",
      "x-omni-route": "oracle",
    });
    expect((await lookInto(node.backends, "a")).lastBody).toBe(strange.replace('"oracle"', '"a"'));
  });

  it("has no secret and no header that is not on the list", async () => {
    await node.post(CHAT, chatBody("x"), {
      authorization: "Bearer secret",
      cookie: "session=1",
      "x-forwarded-for": "1.2.3.4",
      "x-api-key": "secret",
      traceparent: "00-1-2-01",
      "x-request-id": "r1",
    });
    const { lastHeaders } = await lookInto(node.backends, "a");
    expect(Object.keys(lastHeaders).toSorted()).toEqual(
      ["connection", "content-length", "content-type", "host", "traceparent", "x-request-id"].toSorted(),
    );
    expect(lastHeaders["x-request-id"]).toBe("r1");
  });

  it("names the only route where the caller named no model", async () => {
    const { status, headers } = await node.post(CHAT, { messages: [{ role: "user", content: "hi" }] });
    expect([status, headers["x-omni-route"]]).toEqual([200, "oracle"]);
    await using two = await startGateway([{ name: "a" }, { name: "b" }]);
    const refused = await two.post(CHAT, { messages: [] });
    expect(refused.status).toBe(400);
    expect(errorOf(refused.text)).toMatchObject({ code: "model_required", param: "model" });
    expect(refused.text).toContain("Choose one of: a, b.");
  });
});

describe("what is refused", () => {
  it.each([
    ['{"model": "a", }', "byte 15 (line 1, column 16)"],
    ['{"model": "a",\n  "x": tru}', "byte 22 (line 2, column 8)"],
    ["hello", "expected an object"],
    ["[]", "expected an object"],
    ['{"model":"a","model":"b"}', "appears twice"],
    ['{"model":7}', "must be a string"],
  ])("%j with the place", async (body, words) => {
    const { status, text } = await node.post(CHAT, body);
    expect(status).toBe(400);
    expect(errorOf(text)).toMatchObject({ type: "invalid_request_error", code: "invalid_json" });
    expect(errorOf(text)["message"]).toContain(words);
  });

  it("an empty body, a form and a compressed body", async () => {
    const empty = await node.post(CHAT, "");
    expect([empty.status, errorOf(empty.text)["code"]]).toEqual([400, "body_empty"]);
    const form = await node.post(CHAT, "model=a", { "content-type": "application/x-www-form-urlencoded" });
    expect(form.status).toBe(415);
    expect((await node.post(CHAT, "x", { "content-encoding": "gzip" })).status).toBe(415);
    expect((await node.post(CHAT, chatBody("x"), { "content-type": "text/plain" })).status).toBe(200);
  });

  it("an unknown model, with the known ones and the nearest", async () => {
    const { status, text } = await node.chat("x", { model: "oracel" });
    expect(status).toBe(404);
    expect(errorOf(text)).toEqual({
      message:
        'The model "oracel" does not exist on this node. Did you mean "oracle"? Known models: oracle, a, b.',
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found",
    });
  });

  it("a body beyond the limit, announced or not, without keeping it", async () => {
    const announced = await node.post(CHAT, `{"x":"${"y".repeat(LIMIT)}"}`);
    expect([announced.status, errorOf(announced.text)["code"]]).toEqual([413, "body_too_large"]);
    expect(announced.text).toContain("4.00 MiB");
    const streamed = await request(node.url + CHAT, { method: "POST", body: Readable.from(spaces()) });
    expect(streamed.statusCode).toBe(413);
    await streamed.body.dump();
  });

  it("a body beyond the limit before it is sent, where the client waits for leave", async () => {
    const socket = connect(Number(new URL(node.url).port), "127.0.0.1");
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\ncontent-length: ${LIMIT + 1}\r\n\r\n`,
    );
    const first = await new Promise<string>((resolve) =>
      socket.once("data", (data) => resolve(String(data))),
    );
    socket.destroy();
    expect(first).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe("large bodies", () => {
  it("go through whole while the gateway keeps answering others", async () => {
    await using roomy = await startGateway();
    const content = "é ".repeat(8 * 1024 * 1024);
    let worst = 0;
    const over = new AbortController();
    const probe = (async () => {
      while (!over.signal.aborted) {
        const start = performance.now();
        await roomy.get("/healthz");
        worst = Math.max(worst, performance.now() - start);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const big = JSON.stringify({ model: "a", input: [content, "two"] });
    const { status } = await roomy.post("/v1/embeddings", big);
    over.abort();
    await probe;
    expect(status).toBe(200);
    expect((await lookInto(roomy.backends, "a")).lastLength).toBe(Buffer.byteLength(big));
    expect(worst).toBeLessThan(2_000);
  });
});
