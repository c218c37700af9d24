import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";

import { describeOpenAIContract } from "../contract/openai-client.ts";
import type { GatewayUnderTest } from "../fakes/gateway-under-test.ts";
import { startGateway } from "../fakes/gateway-under-test.ts";
import { keyGateOf } from "../fakes/key-gate-of.ts";

let node: GatewayUnderTest;
beforeAll(async () => {
  node = await startGateway(
    [{ name: "a", restartAfter: 100 }, { name: "b" }],
    [{ name: "oracle", services: ["a", "b"] }],
    { keys: keyGateOf({ "sk-test": {} }) },
  );
});
afterAll(() => node[Symbol.asyncDispose]());

describeOpenAIContract("through the gateway to a fake engine", {
  baseUrl: () => node.url,
  model: "oracle",
  embeddingModel: "oracle",
  tools: true,
  jsonSchema: true,
  apiKey: "sk-test",
});

it("the official client throws when a stream was cut, instead of taking it for whole", async () => {
  const client = new OpenAI({ baseURL: `${node.url}/v1`, apiKey: "sk-test", maxRetries: 0 });
  const stream = await client.chat.completions.create({
    model: "oracle",
    messages: [{ role: "user", content: "one two three [die-after 2]" }],
    stream: true,
  });
  let pieces = 0;
  const read = (async () => {
    for await (const chunk of stream) pieces += chunk.choices.length;
  })();
  await expect(read).rejects.toThrow("is incomplete");
  expect(pieces).toBe(2);
});

it("the official client says what is wrong with its key", async () => {
  const client = new OpenAI({ baseURL: `${node.url}/v1`, apiKey: "wrong", maxRetries: 0 });
  await expect(client.models.list()).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
});
