import type { Message } from "@anthropic-ai/sdk/resources/messages";
import type { ChatCompletion } from "openai/resources/chat/completions";
import type { Response as ModelResponse } from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";

import type { Dialect, JsonObject } from "../../src/dialects/index.ts";
import { DialectError, findTranslation } from "../../src/dialects/index.ts";
import { anthropic, openai } from "./official-clients.ts";

const CHAT = {
  id: "chatcmpl-9",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "qwen3",
  choices: [
    {
      index: 0,
      finish_reason: "tool_calls",
      logprobs: null,
      message: {
        role: "assistant",
        content: "Looking.",
        refusal: null,
        tool_calls: [
          { id: "call_a", type: "function", function: { name: "f", arguments: '{"x": 1}' } },
          { id: "call_b", type: "function", function: { name: "g", arguments: '{"cut":' } },
        ],
      },
    },
  ],
  usage: {
    prompt_tokens: 12,
    completion_tokens: 34,
    total_tokens: 46,
    prompt_tokens_details: { cached_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 8 },
  },
} satisfies ChatCompletion;

/** The same with the thinking that open engines tell. */
const THINKING = {
  ...CHAT,
  choices: CHAT.choices.map((choice) => ({
    ...choice,
    message: { ...choice.message, reasoning_content: "Hm." },
  })),
};

const USAGE = {
  input_tokens: 7,
  cache_read_input_tokens: 5,
  cache_creation_input_tokens: null,
  cache_creation: null,
  output_tokens: 34,
  output_tokens_details: { thinking_tokens: 8 },
  server_tool_use: null,
  inference_geo: null,
  service_tier: null,
  speed: null,
} as const;

const MESSAGE = {
  id: "msg_9",
  type: "message",
  role: "assistant",
  model: "claude",
  container: null,
  diagnostics: null,
  stop_details: null,
  stop_reason: "stop_sequence",
  stop_sequence: "END",
  content: [
    { type: "thinking", thinking: "Hm.", signature: "sig" },
    { type: "redacted_thinking", data: "dark" },
    { type: "text", text: "One. ", citations: null },
    { type: "text", text: "Two.", citations: null },
    { type: "tool_use", id: "toolu_a", name: "f", input: { x: 1 }, caller: { type: "direct" } },
  ],
  usage: USAGE,
} satisfies Message;

function answer(from: Dialect, to: Dialect, body: JsonObject, request: JsonObject = {}): JsonObject {
  const way = findTranslation(from, to);
  if (way === undefined) throw new Error(`no way from ${from} to ${to}`);
  return way.answer(body, request);
}

describe("a whole answer", () => {
  test("of a chat engine for a messages client", async () => {
    const expected: Message = {
      ...MESSAGE,
      model: "qwen3",
      stop_reason: "tool_use",
      stop_sequence: null,
      content: [
        { type: "thinking", thinking: "Hm.", signature: "" },
        { type: "text", text: "Looking.", citations: null },
        { type: "tool_use", id: "call_a", name: "f", input: { x: 1 }, caller: { type: "direct" } },
        {
          type: "tool_use",
          id: "call_b",
          name: "g",
          input: { raw_arguments: '{"cut":' },
          caller: { type: "direct" },
        },
      ],
    };
    const said = answer("messages", "chat", THINKING);
    expect(said).toEqual(expected);
    const read = await anthropic(JSON.stringify(said)).messages.create({
      model: "m",
      max_tokens: 9,
      messages: [{ role: "user", content: "x" }],
    });
    expect(read).toMatchObject(expected);
  });

  test("of a chat engine for a responses client", async () => {
    const request = {
      model: "m",
      input: "x",
      instructions: "Be brief.",
      max_output_tokens: 50,
      metadata: { a: "b" },
      tools: [
        { type: "function", name: "f", parameters: {}, strict: true },
        { type: "mcp", server_label: "s", authorization: "secret", headers: { x: "secret" } },
      ],
    };
    const expected: Omit<ModelResponse, "output_text"> = {
      id: "resp_9",
      object: "response",
      created_at: 1_700_000_000,
      status: "completed",
      background: false,
      error: null,
      incomplete_details: null,
      access_programs: null,
      instructions: "Be brief.",
      max_output_tokens: 50,
      max_tool_calls: null,
      metadata: { a: "b" },
      model: "qwen3",
      output: [
        {
          type: "reasoning",
          id: "rs_9_0",
          status: "completed",
          summary: [],
          content: [{ type: "reasoning_text", text: "Hm." }],
          encrypted_content: null,
        },
        {
          type: "message",
          id: "msg_9_1",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", text: "Looking.", annotations: [], logprobs: [] }],
        },
        {
          type: "function_call",
          id: "fc_9_2",
          status: "completed",
          call_id: "call_a",
          name: "f",
          arguments: '{"x": 1}',
        },
        {
          type: "function_call",
          id: "fc_9_3",
          status: "completed",
          call_id: "call_b",
          name: "g",
          arguments: '{"cut":',
        },
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      temperature: null,
      text: { format: { type: "text" } },
      tool_choice: "auto",
      tools: [
        { type: "function", name: "f", parameters: {}, strict: true },
        { type: "mcp", server_label: "s" },
      ],
      top_p: null,
      truncation: "disabled",
      usage: {
        input_tokens: 12,
        input_tokens_details: { cached_tokens: 5, cache_write_tokens: 0 },
        output_tokens: 34,
        output_tokens_details: { reasoning_tokens: 8 },
        total_tokens: 46,
      },
    };
    const said = answer("responses", "chat", THINKING, request);
    expect(said).toEqual({ ...expected, store: true });
    const read = await openai(JSON.stringify(said)).responses.create({ model: "m", input: "x" });
    expect(read.output_text).toBe("Looking.");
  });

  test("of a messages engine for a chat client", async () => {
    const said = answer("chat", "messages", MESSAGE);
    const message = {
      role: "assistant",
      content: "One. Two.",
      refusal: null,
      reasoning_content: "Hm.",
      thinking_blocks: [
        { type: "thinking", thinking: "Hm.", signature: "sig" },
        { type: "redacted_thinking", data: "dark" },
      ],
      tool_calls: [{ id: "toolu_a", type: "function", function: { name: "f", arguments: '{"x":1}' } }],
    };
    const expected = {
      id: "chatcmpl-9",
      object: "chat.completion",
      created: 0,
      model: "claude",
      choices: [{ index: 0, finish_reason: "stop", logprobs: null, stop_reason: "END", message }],
      usage: CHAT.usage,
    };
    expect(said).toEqual(expected);
    const read = await openai(JSON.stringify(said)).chat.completions.create({ model: "m", messages: [] });
    expect(read.choices[0]?.message.content).toBe("One. Two.");
  });

  test("of a messages engine for a responses client: what must go back is in encrypted_content", () => {
    expect(answer("responses", "messages", MESSAGE)["output"]).toMatchObject([
      { type: "reasoning", content: [{ text: "Hm." }], encrypted_content: "signature:sig" },
      { type: "reasoning", content: [], encrypted_content: "redacted:dark" },
      { type: "message", content: [{ text: "One. " }, { text: "Two." }] },
      { type: "function_call", call_id: "toolu_a", arguments: '{"x":1}' },
    ]);
  });

  test("read back, it is what it was", () => {
    const { content, stop_reason, stop_sequence, usage } = answer(
      "messages",
      "chat",
      answer("chat", "messages", MESSAGE),
    );
    expect({ content, stop_reason, stop_sequence, usage }).toEqual({
      content: [
        MESSAGE.content[0],
        MESSAGE.content[1],
        { type: "text", text: "One. Two.", citations: null },
        MESSAGE.content[4],
      ],
      stop_reason: "stop_sequence",
      stop_sequence: "END",
      usage: USAGE,
    });
  });

  test.each([
    ["refusal", "content_filter", "incomplete"],
    ["pause_turn", "stop", "completed"],
    ["max_tokens", "length", "incomplete"],
    ["model_context_window_exceeded", "length", "incomplete"],
    ["end_turn", "stop", "completed"],
    ["something new", "stop", "completed"],
  ])("stop_reason %s is %s in a chat and %s in a response", (stop_reason, finish_reason, status) => {
    const body = { ...MESSAGE, stop_reason, content: [] };
    expect(answer("chat", "messages", body)["choices"]).toMatchObject([{ finish_reason }]);
    expect(answer("responses", "messages", body)["status"]).toBe(status);
  });

  test("engines that say stop where they called, give arguments as an object, or call thinking reasoning", () => {
    const message = {
      role: "assistant",
      content: null,
      reasoning: "Hm.",
      tool_calls: [{ function: { name: "f", arguments: { x: 1 } } }],
    };
    const body = { id: "7", choices: [{ finish_reason: "stop", message }] };
    expect(answer("messages", "chat", body)).toMatchObject({
      stop_reason: "tool_use",
      content: [
        { type: "thinking", thinking: "Hm." },
        { type: "tool_use", id: "call_7_0", name: "f", input: { x: 1 } },
      ],
    });
  });

  test("ids and time can be given", () => {
    const identity = { id: "chatcmpl-mine", created: 17 };
    expect(findTranslation("chat", "messages")?.answer(MESSAGE, {}, identity)).toMatchObject(identity);
  });

  test("what is no answer is refused by name", () => {
    expect(() => answer("messages", "chat", { choices: [] })).toThrow(
      new DialectError("choices", "The engine's answer has no choices[0].message."),
    );
    expect(() => answer("chat", "messages", {})).toThrow("no list of content blocks");
  });

  test("there is no way to completions, and none to a dialect itself", () => {
    expect(findTranslation("completions", "chat")).toBeUndefined();
    expect(findTranslation("messages", "completions")).toBeUndefined();
    expect(findTranslation("chat", "chat")).toBeUndefined();
  });
});
