import { describe, expect, test } from "vitest";
import type { EngineDialect } from "../../engines/surface.ts";
import { surfaceOf } from "../../engines/index.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import type { Said } from "./continuation.ts";
import { continueWith, prefilledText } from "./continue-with.ts";

const SAID: Said = {
  id: "first",
  created: 7,
  model: "node",
  text: "Once upon",
  reasoning: "",
  toolCall: false,
  logprobs: false,
  several: false,
  mixed: false,
  deltas: 2,
  finished: false,
};
const QUESTION = { role: "user", content: "Tell." };
const CHAT = { model: "m", messages: [QUESTION], max_tokens: 10, seed: 3, stop: ["END"] };
const PROMPT = { model: "m", prompt: "Say: ", max_tokens: 10 };

const bodyOf = (request: JsonObject, lane: EngineDialect, said: Partial<Said>, kind: string): JsonObject => {
  const continuation = continueWith(request, lane, { ...SAID, ...said }, surfaceOf(kind));
  if ("impossible" in continuation) throw new Error(continuation.impossible);
  return continuation.body;
};
const reasonOf = (
  request: JsonObject,
  lane: EngineDialect,
  said: Partial<Said> | undefined,
  kind: string,
): string => {
  const continuation = continueWith(request, lane, said && { ...SAID, ...said }, surfaceOf(kind));
  return "impossible" in continuation ? continuation.impossible : "possible";
};

describe("the request to the engine that goes on", () => {
  test.each(["vllm", "sglang", "ktransformers", "llama.cpp", "embedded"])(
    "%s: the begun message is left open",
    (kind) => {
      expect(bodyOf(CHAT, "chat", {}, kind)).toEqual({
        ...CHAT,
        messages: [QUESTION, { role: "assistant", content: "Once upon" }],
        continue_final_message: true,
        add_generation_prompt: false,
        max_tokens: 8,
        stream: true,
        stream_options: { include_usage: true },
      });
    },
  );

  test("completions go on from prompt and text, with what is left of every limit", () => {
    expect(bodyOf(PROMPT, "completions", {}, "triton-vllm")).toEqual({
      ...PROMPT,
      prompt: "Say: Once upon",
      max_tokens: 8,
      stream: true,
      stream_options: { include_usage: true },
    });
    // Engines that stop after 16 tokens by themselves would begin to count anew.
    expect(bodyOf({ prompt: ["Say: "] }, "completions", {}, "vllm")).toMatchObject({
      prompt: "Say: Once upon",
      max_tokens: 14,
    });
    expect(bodyOf({ prompt: "Say: " }, "completions", {}, "llama.cpp")).not.toHaveProperty("max_tokens");
    const limits = { max_completion_tokens: 2, max_tokens: 30, min_tokens: 5 };
    expect(bodyOf({ ...CHAT, ...limits }, "chat", {}, "vllm")).toMatchObject({
      max_completion_tokens: 1,
      max_tokens: 28,
      min_tokens: 3,
    });
  });

  test("thinking goes back where the engine has a place for it", () => {
    const thought = { reasoning: "hm", text: "Once" };
    const begun = { role: "assistant", content: "Once", reasoning_content: "hm", reasoning: "hm" };
    expect(bodyOf(CHAT, "chat", thought, "llama.cpp")["messages"]).toEqual([QUESTION, begun]);
    expect(bodyOf(CHAT, "chat", thought, "vllm")["messages"]).toEqual([QUESTION, begun]);
    expect(bodyOf(CHAT, "chat", { reasoning: "hm", text: "" }, "llama.cpp")["messages"]).toEqual([
      QUESTION,
      { ...begun, content: "" },
    ]);
    expect(reasonOf(CHAT, "chat", { reasoning: "hm", text: "" }, "vllm")).toMatch(/within thinking/);
    expect(reasonOf(CHAT, "chat", thought, "sglang")).toMatch(/cannot be given thinking back/);
    expect(reasonOf(CHAT, "chat", { text: "<think>hm" }, "llama.cpp")).toMatch(/tags of thinking/);
    expect(reasonOf(CHAT, "chat", { text: "<think>hm" }, "embedded")).toBe("possible");
  });

  test("a word that stop strings may have cut in two is said again, where it will be the same", () => {
    const said = { text: "Once upon a ti", deltas: 14 };
    const greedy = { ...CHAT, temperature: 0, max_tokens: 100 };
    const content = (body: JsonObject): unknown =>
      Array.isArray(body["messages"]) ? body["messages"].at(-1) : undefined;
    expect(content(bodyOf(greedy, "chat", said, "vllm"))).toMatchObject({ content: "Once upon a" });
    // Eleven of fourteen characters are given, and so that share of the deltas counts.
    expect(bodyOf(greedy, "chat", said, "vllm")).toMatchObject({ max_tokens: 89 });
    expect(bodyOf({ ...PROMPT, stop: "x", top_k: 1 }, "completions", said, "vllm")["prompt"]).toBe(
      "Say: Once upon a",
    );
    for (const request of [
      { ...greedy, temperature: 1 },
      { ...greedy, stop: [] },
    ]) {
      expect(content(bodyOf(request, "chat", said, "vllm"))).toMatchObject({ content: said.text });
    }
    const second = continueWith(greedy, "chat", { ...SAID, ...said }, surfaceOf("vllm"), { heals: false });
    expect("body" in second && content(second.body)).toMatchObject({ content: said.text });
    const exact = continueWith(greedy, "chat", { ...SAID, ...said }, surfaceOf("vllm"), {
      prefilledTokens: 3,
    });
    expect(exact).toMatchObject({ body: { max_tokens: 97 } });
    expect(prefilledText(greedy, "chat", { ...SAID, ...said, reasoning: "hm" }, surfaceOf("vllm"))).toBe(
      "hmOnce upon a",
    );
  });

  test("a message that the request itself began goes on in one piece, where it says so", () => {
    const messages = [QUESTION, { role: "assistant", content: "Well. " }];
    const open = { continue_final_message: true, add_generation_prompt: false };
    expect(bodyOf({ ...CHAT, messages, ...open }, "chat", {}, "vllm")["messages"]).toEqual([
      QUESTION,
      { role: "assistant", content: "Well. Once upon" },
    ]);
    expect(reasonOf({ ...CHAT, messages }, "chat", {}, "vllm")).toMatch(
      /ends with a message of the assistant/,
    );
  });

  test("messages end with the assistant's, without white space at its end", () => {
    const request = { model: "claude", messages: [QUESTION], max_tokens: 100 };
    const said = { text: "Once upon \n" };
    const expected = [QUESTION, { role: "assistant", content: [{ type: "text", text: "Once upon" }] }];
    expect(bodyOf(request, "messages", said, "anthropic")).toEqual({
      ...request,
      messages: expected,
      max_tokens: 98,
      stream: true,
    });
    const own = { ...request, messages: [QUESTION, { role: "assistant", content: "{" }] };
    expect(bodyOf(own, "messages", { text: "a" }, "anthropic")["messages"]).toEqual([
      QUESTION,
      {
        role: "assistant",
        content: [
          { type: "text", text: "{" },
          { type: "text", text: "a" },
        ],
      },
    ]);
    expect(
      reasonOf(
        { ...request, thinking: { type: "enabled", budget_tokens: 1024 } },
        "messages",
        {},
        "anthropic",
      ),
    ).toMatch(/thinking is on/);
    expect(reasonOf(request, "messages", { reasoning: "hm" }, "anthropic")).toMatch(/thinking is on/);
    // Another engine's dialect takes the flags after the translation.
    const continuation = continueWith(request, "messages", SAID, surfaceOf("vllm"));
    expect(continuation).toMatchObject({
      flags: { continue_final_message: true, add_generation_prompt: false },
    });
    expect("body" in continuation && "continue_final_message" in continuation.body).toBe(false);
  });

  test("where nothing was said yet the same is asked once more, whatever it is", () => {
    const request = { ...CHAT, response_format: { type: "json_object" }, tool_choice: "required", n: 2 };
    expect(bodyOf(request, "chat", { text: "", deltas: 0 }, "openai")).toEqual({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("what cannot go on says why", () => {
    const cases: readonly (readonly [
      JsonObject,
      EngineDialect,
      Partial<Said> | undefined,
      string,
      RegExp,
    ])[] = [
      [CHAT, "chat", undefined, "vllm", /more than is kept, or was not understood/],
      [CHAT, "chat", { finished: true }, "vllm", /finished already/],
      [CHAT, "chat", { toolCall: true }, "vllm", /tool call/],
      [CHAT, "chat", { toolCall: true, text: "" }, "vllm", /tool call/],
      [CHAT, "chat", { several: true }, "vllm", /several choices/],
      [CHAT, "chat", { logprobs: true }, "vllm", /log probabilities/],
      [CHAT, "chat", { mixed: true }, "vllm", /take turns/],
      [{ ...CHAT, n: 2 }, "chat", {}, "vllm", /n is more than 1/],
      [{ ...PROMPT, best_of: 2 }, "completions", {}, "vllm", /best of several/],
      [{ ...CHAT, logprobs: true }, "chat", {}, "vllm", /log probabilities/],
      [{ ...PROMPT, logprobs: 0 }, "completions", {}, "vllm", /log probabilities/],
      [{ ...PROMPT, echo: true }, "completions", {}, "vllm", /echo/],
      [{ ...PROMPT, prompt: [1, 2] }, "completions", {}, "vllm", /not one text/],
      [{ ...PROMPT, prompt: ["a", "b"] }, "completions", {}, "vllm", /not one text/],
      [{ ...PROMPT, suffix: "x" }, "completions", {}, "vllm", /between two texts/],
      [PROMPT, "completions", {}, "anthropic", /no completions/],
      [{ ...CHAT, response_format: { type: "json_schema" } }, "chat", {}, "vllm", /format is prescribed/],
      [{ ...CHAT, guided_regex: "a+" }, "chat", {}, "vllm", /guided_regex/],
      [{ ...CHAT, grammar: "root ::= x" }, "chat", {}, "llama.cpp", /grammar steers/],
      [{ ...CHAT, tool_choice: "required" }, "chat", {}, "vllm", /tool call was required/],
      [
        { ...CHAT, tool_choice: { type: "function", function: { name: "f" } } },
        "chat",
        {},
        "vllm",
        /was required/,
      ],
      [{ ...CHAT, tool_choice: { type: "any" } }, "messages", {}, "anthropic", /was required/],
      [CHAT, "chat", {}, "openai", /cannot go on with a begun message/],
      [CHAT, "chat", {}, "tensorrt-llm", /cannot go on/],
      [CHAT, "chat", {}, "triton-vllm", /cannot go on/],
    ];
    for (const [request, lane, said, kind, reason] of cases)
      expect(reasonOf(request, lane, said, kind)).toMatch(reason);
    const harmless = {
      ...CHAT,
      n: 1,
      logprobs: false,
      tool_choice: { type: "auto" },
      response_format: { type: "text" },
    };
    expect(reasonOf(harmless, "chat", {}, "vllm")).toBe("possible");
  });
});
