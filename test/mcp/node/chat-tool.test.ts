import { expect, it } from "vitest";

import { createNodeServer } from "../../../src/mcp/node/node-server.ts";
import { chatReply, contextOf, GUEST, json, saidBy, SmallNode } from "../../fakes/small-node.ts";

function open(chatBudget = {}) {
  const access = new SmallNode();
  const server = createNodeServer({ access, read: false, chat: true, control: false, chatBudget });
  const chat = async (args: Readonly<Record<string, unknown>>, caller = contextOf(GUEST)) =>
    saidBy(await server.callTool("chat", args, caller));
  return { access, chat };
}

it("asks as its caller, without tools or a stream, and returns the text with its usage", async () => {
  const { access, chat } = open();
  const answer = await chat({ prompt: "Who are you?", system: "Be brief.", model: "chat", temperature: 0 });
  expect(answer).toMatchObject({
    text: "Hello.",
    failed: false,
    data: {
      model: "oracle-model",
      finish_reason: "stop",
      usage: { prompt_tokens: 10, completion_tokens: 5 },
    },
  });
  expect(access.asked).toMatchObject([{ caller: GUEST, depth: 1, request: "req_1" }]);
  expect(access.asked[0]?.body).toEqual({
    model: "chat",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Who are you?" },
    ],
    max_tokens: 1024,
    temperature: 0,
    stream: false,
  });
});

it("does not ask from within a chat that it asked itself", async () => {
  const { access, chat } = open();
  const within = (depth: unknown) => contextOf(GUEST, { meta: { "omni/depth": depth } });
  expect(await chat({ prompt: "x" }, within(0))).toMatchObject({ failed: false });
  const refused = await chat({ prompt: "x" }, within(1));
  expect([refused.failed, refused.text]).toEqual([true, expect.stringContaining("depth 1")]);
  for (const forged of [7, -1, "0", 0.5, null])
    expect(await chat({ prompt: "x" }, within(forged))).toMatchObject({ failed: true });
  expect(access.asked).toHaveLength(1);
});

it("refuses what it cannot ask, before anything is asked", async () => {
  const { access, chat } = open();
  const texts = await Promise.all(
    [
      {},
      { prompt: "x", messages: [{ role: "user", content: "y" }] },
      { prompt: "x", max_tokens: 8193 },
      { prompt: "x", tools: [] },
      { prompt: "x", model: "oracel" },
      { messages: [{ role: "tool", content: "y" }] },
    ].map(async (args) => (await chat(args)).text),
  );
  expect(texts).toEqual([
    "Give either prompt or messages, not both; nothing was asked.",
    "Give either prompt or messages, not both; nothing was asked.",
    expect.stringMatching(/^max_tokens: .*8192/),
    expect.stringContaining("tools"),
    expect.stringContaining('no model "oracel" for key "guest". Did you mean "oracle"?'),
    expect.stringMatching(/^messages\.0\.role: /),
  ]);
  expect(access.asked).toEqual([]);
});

it("gives the gateway's refusal to the model, and costs nothing then", async () => {
  const { access, chat } = open({ tokensPerMinute: 1100 });
  access.answer = () => ({
    status: 429,
    body: json({ error: { message: 'Key "guest" has used its tokens.', code: "quota_exceeded" } }),
  });
  for (let n = 0; n < 3; n++)
    expect(await chat({ prompt: "x" })).toMatchObject({
      failed: true,
      text: 'The model was not asked, or did not answer (429): Key "guest" has used its tokens.',
    });
  access.answer = () => ({ status: 200, body: json({ object: "list" }) });
  expect(await chat({ prompt: "x" })).toMatchObject({
    failed: true,
    text: expect.stringContaining("none of a chat"),
  });
  access.answer = () => chatReply("");
  expect((await chat({ prompt: "x" })).text).toMatch(/^The model said nothing in /);
});

it("keeps to the budget of a key, in chats at a time and tokens a minute", async () => {
  const { access, chat } = open({ running: 2, tokensPerMinute: 3000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  access.answer = async () => {
    await promise;
    return chatReply("ok", { prompt_tokens: 100, completion_tokens: 900 });
  };
  const running = [chat({ prompt: "x" }), chat({ prompt: "x" })];
  expect((await chat({ prompt: "x" })).text).toContain('2 chats over tools are running for key "guest"');
  const other = chat({ prompt: "x" }, contextOf({ ...GUEST, key: "other" }));
  resolve();
  expect((await Promise.all([...running, other])).map(({ failed }) => failed)).toEqual([false, false, false]);
  access.answer = () => chatReply("ok", { prompt_tokens: 10, completion_tokens: 10 });
  const late = await chat({ prompt: "x", max_tokens: 1500 });
  expect(late.text).toMatch(
    /has 1 ?0\d\d of 3000 tokens a minute left .* Ask again in \d+ s, or for less\.$/,
  );
  expect((await chat({ prompt: "x", max_tokens: 100 })).failed).toBe(false);
  expect((await chat({ prompt: "x", max_tokens: 4000 })).text).toContain(
    "more than the 3000 tokens a minute",
  );
});
