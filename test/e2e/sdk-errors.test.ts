import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { QUESTION } from "./sdk-questions.ts";
import type { SdkNode } from "./sdk-node.ts";
import { startSpecNode } from "./sdk-node.ts";

let node: SdkNode;
beforeAll(async () => {
  vi.stubEnv("SDK_TEST_OWNER", "the-key-of-the-owner");
  vi.stubEnv("SDK_TEST_OPENAI", "the-key-of-one-who-hurries");
  vi.stubEnv("SDK_TEST_ANTHROPIC", "the-key-of-another-who-hurries");
  node = await startSpecNode(
    () => `gateway: { bodyLimit: 64KiB }
models: { chat: builtin:omni-demo }
services:
  chat: { model: chat, devices: cpu, context: 512, parallel: 2, threads: 1 }
  other: { model: chat, devices: cpu, context: 512, parallel: 1, threads: 1 }
keys:
  owner: { env: SDK_TEST_OWNER, admin: true }
  openai: { env: SDK_TEST_OPENAI, routes: [chat], limits: { requestsPerMinute: 1 } }
  anthropic: { env: SDK_TEST_ANTHROPIC, routes: [chat], limits: { requestsPerMinute: 1 } }
`,
    "the-key-of-the-owner",
  );
});
afterAll(async () => {
  await node?.stop();
  vi.unstubAllEnvs();
});

const LONG = "word ".repeat(30_000);

/** What a client throws. */
async function thrownBy(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => new Error("it was answered"),
    (thrown: unknown) => thrown,
  );
}

describe("errors in the openai client's own classes", () => {
  const ask = (apiKey: string, more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}) =>
    thrownBy(
      node.openai({ apiKey }).chat.completions.create({
        model: "chat",
        messages: [...QUESTION],
        max_tokens: 4,
        ...more,
      }),
    );
  const owner = "the-key-of-the-owner";

  it("401: a wrong key", async () => {
    const thrown = await ask("a-wrong-key");
    expect(thrown).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(thrown).toMatchObject({ status: 401, requestID: expect.stringMatching(/^req_/) });
    expect(String(thrown)).not.toContain("a-wrong-key");
  });

  it("404: a model that nobody serves, with the name that was meant", async () => {
    const thrown = await ask(owner, { model: "chatt" });
    expect(thrown).toBeInstanceOf(OpenAI.NotFoundError);
    expect(thrown).toMatchObject({ code: "model_not_found", param: "model" });
    expect(String(thrown)).toContain('"chat"');
  });

  it("403 or 404: a model that the key may not use", async () => {
    const thrown = await ask("the-key-of-one-who-hurries", { model: "other" });
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect([403, 404]).toContain(thrown instanceof OpenAI.APIError ? thrown.status : 0);
  });

  it("400: what the engine cannot do, and a prompt longer than its window", async () => {
    const wrong = await ask(owner, { temperature: -1 });
    expect(wrong).toBeInstanceOf(OpenAI.BadRequestError);
    expect(String(wrong)).toContain("temperature");
    const long = await ask(owner, { messages: [{ role: "user", content: "word ".repeat(3000) }] });
    expect(long).toBeInstanceOf(OpenAI.BadRequestError);
    expect(String(long)).toMatch(/512/);
  });

  it("413: a body larger than the gateway takes", async () => {
    const thrown = await ask(owner, { messages: [{ role: "user", content: LONG }] });
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ status: 413 });
    expect(String(thrown)).toMatch(/64\.00 KiB/);
  });

  it("429: too many in a minute, with the time after which it may ask again", async () => {
    const key = "the-key-of-one-who-hurries";
    await ask(key);
    const thrown = await ask(key);
    expect(thrown).toBeInstanceOf(OpenAI.RateLimitError);
    const wait = thrown instanceof OpenAI.APIError ? Number(thrown.headers?.get("retry-after")) : 0;
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
  });

  it("the same in a stream: it is thrown, not streamed", async () => {
    const stream = node
      .openai({ apiKey: "a-wrong-key" })
      .chat.completions.create({ model: "chat", messages: [...QUESTION], stream: true });
    expect(await thrownBy(Promise.resolve(stream))).toBeInstanceOf(OpenAI.AuthenticationError);
  });
});

describe("errors in the anthropic client's own classes", () => {
  const ask = (apiKey: string, more: Partial<Anthropic.MessageCreateParamsNonStreaming> = {}) =>
    thrownBy(
      node.anthropic({ apiKey }).messages.create({
        model: "chat",
        messages: [...QUESTION],
        max_tokens: 4,
        ...more,
      }),
    );
  const owner = "the-key-of-the-owner";

  it("401: a wrong key, and none; a bearer token is a key too", async () => {
    const thrown = await ask("a-wrong-key");
    expect(thrown).toBeInstanceOf(Anthropic.AuthenticationError);
    expect(thrown).toMatchObject({ type: "authentication_error", requestID: expect.stringMatching(/^req_/) });
    const bearer = node.anthropic({ apiKey: null, authToken: owner });
    const answer = await bearer.messages.create({ model: "chat", messages: [...QUESTION], max_tokens: 4 });
    expect(answer.type).toBe("message");
  });

  it("404: a model that nobody serves", async () => {
    const thrown = await ask(owner, { model: "chatt" });
    expect(thrown).toBeInstanceOf(Anthropic.NotFoundError);
    expect(thrown).toMatchObject({ type: "not_found_error" });
  });

  it("400: what is no request", async () => {
    const thrown = await ask(owner, { messages: [{ role: "user", content: "word ".repeat(3000) }] });
    expect(thrown).toBeInstanceOf(Anthropic.BadRequestError);
    expect(thrown).toMatchObject({ type: "invalid_request_error" });
    expect(String(thrown)).toMatch(/512/);
  });

  it("413: a body larger than the gateway takes", async () => {
    const thrown = await ask(owner, { messages: [{ role: "user", content: LONG }] });
    expect(thrown).toBeInstanceOf(Anthropic.APIError);
    expect(thrown).toMatchObject({ status: 413, type: "request_too_large" });
  });

  it("429: too many in a minute, with the time after which it may ask again", async () => {
    const key = "the-key-of-another-who-hurries";
    await ask(key);
    const thrown = await ask(key);
    expect(thrown).toBeInstanceOf(Anthropic.RateLimitError);
    expect(thrown).toMatchObject({ type: "rate_limit_error" });
    const wait = thrown instanceof Anthropic.APIError ? Number(thrown.headers?.get("retry-after")) : 0;
    expect(wait).toBeGreaterThan(0);
  });
});
