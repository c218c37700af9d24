import { describe, expect, test } from "vitest";

import { dialectNeeds } from "./needs.ts";
import { readEventUsage, readUsage } from "./usage.ts";
import { chatUsage, messagesDeltaUsage, responsesUsage } from "./usage-members.ts";

const all = {
  promptTokens: 100,
  completionTokens: 20,
  cachedTokens: 60,
  cacheWriteTokens: 10,
  reasoningTokens: 5,
};

describe("usage", () => {
  test("Anthropic's input leaves cached tokens out, OpenAI's has them in", () => {
    const usage = {
      input_tokens: 30,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 10,
      output_tokens: 20,
      output_tokens_details: { thinking_tokens: 5 },
    };
    expect(readUsage("messages", { usage })).toEqual(all);
    expect(messagesDeltaUsage(all)).toEqual({ ...usage, server_tool_use: null });
  });

  test("what is written is read back", () => {
    expect(readUsage("chat", { usage: chatUsage(all) })).toEqual(all);
    expect(readUsage("responses", { usage: responsesUsage(all) })).toEqual(all);
    expect(readUsage("completions", { usage: { prompt_tokens: 3, completion_tokens: 1 } })).toEqual({
      promptTokens: 3,
      completionTokens: 1,
    });
  });

  test("in streams: the last chunk, the finished response, start and end of a message", () => {
    expect(readEventUsage("chat", { choices: [], usage: chatUsage(all) })).toEqual(all);
    expect(readEventUsage("chat", { choices: [], usage: null }, all)).toEqual(all);
    expect(readEventUsage("responses", { response: { usage: responsesUsage(all) } })).toEqual(all);
    const start = {
      type: "message_start",
      message: { usage: { input_tokens: 30, cache_read_input_tokens: 60, output_tokens: 1 } },
    };
    const first = readEventUsage("messages", start);
    expect(first).toEqual({ promptTokens: 90, completionTokens: 1, cachedTokens: 60 });
    const last = { type: "message_delta", usage: { output_tokens: 20 } };
    expect(readEventUsage("messages", last, first)).toEqual({
      promptTokens: 90,
      completionTokens: 20,
      cachedTokens: 60,
    });
  });

  test.each([null, 3, "x", [], {}, { prompt_tokens: "3" }, { prompt_tokens: -1 }, { prompt_tokens: 1.5 }])(
    "%j is none",
    (usage) => {
      expect(readUsage("chat", { usage })).toBeUndefined();
    },
  );
});

describe("what a request needs", () => {
  const none = { tools: false, json: false, vision: false, audio: false, reasoning: false };

  test.each([
    ["chat", { messages: [{ role: "user", content: "x" }] }, {}],
    [
      "chat",
      {
        messages: [{ role: "user", content: [{ type: "image_url" }, { type: "input_audio" }] }],
        tools: [{}],
        response_format: { type: "json_object" },
        reasoning_effort: "low",
      },
      { tools: true, json: true, vision: true, audio: true, reasoning: true },
    ],
    ["chat", { tools: [], response_format: { type: "text" }, reasoning_effort: "none" }, {}],
    [
      "messages",
      {
        messages: [
          { role: "user", content: [{ type: "tool_result", content: [{ type: "image", source: {} }] }] },
        ],
        thinking: { type: "enabled", budget_tokens: 2000 },
        output_config: { format: { type: "json_schema", schema: {} } },
      },
      { vision: true, reasoning: true, json: true },
    ],
    ["messages", { messages: [], thinking: { type: "disabled" } }, {}],
    [
      "responses",
      {
        input: [{ type: "function_call_output", output: [{ type: "input_image" }] }],
        tools: [{ type: "mcp" }],
        text: { format: { type: "json_schema" } },
        reasoning: { effort: "high" },
      },
      { vision: true, tools: true, json: true, reasoning: true },
    ],
    ["responses", { input: "x", text: { format: { type: "text" } } }, {}],
    ["completions", { prompt: "x" }, {}],
  ] as const)("%s %j", (dialect, body, needs) => {
    expect(dialectNeeds(dialect, body)).toEqual({ ...none, ...needs });
  });
});
