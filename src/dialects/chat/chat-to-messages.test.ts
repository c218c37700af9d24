import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import { describe, expect, test } from "vitest";

import { findTranslation } from "../find-translation.ts";
import { DialectError } from "../translation.ts";
import { chatToMessages } from "./chat-to-messages.ts";

const PNG = "iVBORw0KGgo=";
const hello = [{ role: "user", content: "hi" }];

function refusal(body: Readonly<Record<string, unknown>>, ask = chatToMessages): [string, string] {
  try {
    ask(body);
  } catch (error) {
    if (error instanceof DialectError) return [error.param, error.message];
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a chat as a messages request", () => {
  test("system, neighbours of one role as one turn, images, calls and results", () => {
    const body = {
      model: "m",
      max_completion_tokens: 100,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "developer", content: [{ type: "text", text: "Be kind." }] },
        { role: "user", content: "one" },
        {
          role: "user",
          content: [
            { type: "text", text: "two" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
            { type: "image_url", image_url: { url: "https://x.test/a.png" } },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERg==" } },
          ],
        },
        {
          role: "assistant",
          content: "looking",
          tool_calls: [
            { id: "c1", type: "function", function: { name: "f", arguments: '{"a":1}' } },
            { id: "c2", type: "function", function: { name: "g", arguments: "" } },
          ],
        },
        { role: "tool", tool_call_id: "c1", content: "cat" },
        {
          role: "tool",
          tool_call_id: "c2",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
        { role: "user", content: "so?" },
      ],
    } satisfies ChatCompletionCreateParams;
    const expected = {
      model: "m",
      max_tokens: 100,
      system: [
        { type: "text", text: "Be brief." },
        { type: "text", text: "Be kind." },
      ],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "one" },
            { type: "text", text: "two" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
            { type: "image", source: { type: "url", url: "https://x.test/a.png" } },
            {
              type: "document",
              source: { type: "base64", media_type: "application/pdf", data: "JVBERg==" },
              title: "a.pdf",
            },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "text", text: "looking" },
            { type: "tool_use", id: "c1", name: "f", input: { a: 1 } },
            { type: "tool_use", id: "c2", name: "g", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "c1", content: "cat" },
            {
              type: "tool_result",
              tool_use_id: "c2",
              content: [
                { type: "text", text: "a" },
                { type: "text", text: "b" },
              ],
            },
            { type: "text", text: "so?" },
          ],
        },
      ],
    } satisfies MessageCreateParams;
    expect(chatToMessages(body)).toEqual(expected);
  });

  test("settings; what only shapes sampling elsewhere is left out", () => {
    const schema = { type: "object", properties: {}, additionalProperties: false };
    const body = {
      model: "m",
      messages: [{ role: "user", content: "hi" }],
      max_tokens: 9,
      stop: "END",
      temperature: 0.1,
      top_p: 0.5,
      user: "u",
      stream: true,
      stream_options: { include_usage: true },
      seed: 1,
      presence_penalty: 1,
      reasoning_effort: "high",
      response_format: { type: "json_schema", json_schema: { name: "n", schema } },
      parallel_tool_calls: false,
      tools: [
        { type: "function", function: { name: "f", description: "d", parameters: schema } },
        { type: "function", function: { name: "g" } },
      ],
      tool_choice: "required",
    } satisfies ChatCompletionCreateParams;
    const expected = {
      model: "m",
      messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
      max_tokens: 9,
      stop_sequences: ["END"],
      metadata: { user_id: "u" },
      stream: true,
      thinking: { type: "adaptive" },
      output_config: { effort: "high", format: { type: "json_schema", schema } },
      tools: [
        {
          name: "f",
          description: "d",
          input_schema: { type: "object", properties: {}, additionalProperties: false },
        },
        { name: "g", input_schema: { type: "object" } },
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
    } satisfies MessageCreateParams;
    expect(chatToMessages(body)).toEqual({ ...expected, temperature: 0.1, top_p: 0.5 });
  });

  test("a limit is always given, above the budget for thinking", () => {
    expect(chatToMessages({ messages: hello })["max_tokens"]).toBe(8192);
    expect(chatToMessages({ messages: hello, thinking_budget_tokens: 10_000 })).toMatchObject({
      max_tokens: 18_192,
      thinking: { type: "enabled", budget_tokens: 10_000 },
    });
    expect(chatToMessages({ messages: hello, reasoning_effort: "none" })["thinking"]).toEqual({
      type: "disabled",
    });
  });

  test.each([
    ["claude-3-5-sonnet-20241022", { temperature: 0.1, top_p: 0.5 }, 16_384],
    ["claude-opus-4-20250514", { temperature: 0.1, top_p: 0.5 }, 16_384],
    ["claude-sonnet-4-5-20250929", { temperature: 0.1 }, 16_384],
    ["claude-opus-4-6", { temperature: 0.1 }, undefined],
    ["claude-opus-4-7", {}, undefined],
    ["claude-sonnet-5", {}, undefined],
    ["qwen3", { temperature: 0.1, top_p: 0.5 }, undefined],
  ])("%s is sent what it takes", (model, samplers, budget) => {
    const body = { model, messages: hello, temperature: 0.1, top_p: 0.5, reasoning_effort: "high" };
    const { temperature, top_p, thinking, output_config, max_tokens } = chatToMessages(body);
    expect({ temperature, top_p }).toEqual(samplers);
    expect(thinking).toEqual(
      budget === undefined ? { type: "adaptive" } : { type: "enabled", budget_tokens: budget },
    );
    expect(output_config).toEqual(budget === undefined ? { effort: "high" } : undefined);
    expect(max_tokens).toBe(8192 + (budget ?? 0));
  });

  test("a budget for thinking stays below the limit, or there is no thinking", () => {
    const ask = { model: "claude-haiku-4-5", messages: hello, reasoning_effort: "high" };
    expect(chatToMessages({ ...ask, max_tokens: 3000 })["thinking"]).toEqual({
      type: "enabled",
      budget_tokens: 2999,
    });
    expect(chatToMessages({ ...ask, max_tokens: 1000 })).not.toHaveProperty("thinking");
    expect(chatToMessages({ ...ask, model: "claude-opus-5", thinking_budget_tokens: 9000 })).toMatchObject({
      thinking: { type: "adaptive" },
      output_config: { effort: "high" },
    });
  });

  test("arguments that are no object are kept as text, never as an empty object", () => {
    const call = { id: "c", type: "function", function: { name: "f", arguments: '{"a":' } };
    expect(chatToMessages({ messages: [{ role: "assistant", tool_calls: [call] }] })["messages"]).toEqual([
      {
        role: "assistant",
        content: [{ type: "tool_use", id: "c", name: "f", input: { raw_arguments: '{"a":' } }],
      },
    ]);
  });

  test("only thinking with a signature goes back", () => {
    const message = {
      role: "assistant",
      content: "x",
      reasoning_content: "unsigned",
      thinking_blocks: [
        { type: "thinking", thinking: "t", signature: "" },
        3,
        { type: "redacted_thinking", data: "d" },
      ],
    };
    expect(chatToMessages({ messages: [message] })["messages"]).toEqual([
      {
        role: "assistant",
        content: [
          { type: "redacted_thinking", data: "d" },
          { type: "text", text: "x" },
        ],
      },
    ]);
  });
});

describe("a chat that a messages engine cannot serve", () => {
  test.each([
    [{ messages: {} }, "messages", "messages: expected a list, found an object."],
    [
      { messages: [{ role: "system", content: "x" }] },
      "messages",
      "messages: expected at least one message.",
    ],
    [{ messages: hello, n: 2 }, "n", "n: this engine gives one answer only."],
    [{ messages: hello, logprobs: true }, "logprobs", "logprobs: this engine tells none."],
    [
      { messages: hello, response_format: { type: "json_object" } },
      "response_format.type",
      'response_format.type: this engine knows "json_schema" only; "json_object" has no counterpart there.',
    ],
    [
      { messages: [{ role: "user", content: [{ type: "input_audio" }] }] },
      "messages[0].content[0].type",
      'messages[0].content[0].type: this engine takes "text", "image_url" and "file", found "input_audio".',
    ],
    [
      { messages: [{ role: "tool", content: "x" }] },
      "messages[0].tool_call_id",
      "messages[0].tool_call_id: expected the id of the call it answers, found nothing.",
    ],
    [
      {
        messages: [
          { role: "user", content: [{ type: "image_url", image_url: { url: "file:///etc/passwd" } }] },
        ],
      },
      "messages[0].content[0].image_url.url",
      'messages[0].content[0].image_url.url: expected a base64 data URL or an http(s) URL, found "file:///etc/passwd".',
    ],
  ])("%j", (body, param, message) => {
    expect(refusal(body)).toEqual([param, message]);
  });

  test("from a responses client, the input is named", () => {
    const body = {
      input: [{ role: "user", content: [{ type: "input_image", image_url: "ftp://x" }] }],
    };
    const way = findTranslation("responses", "messages");
    expect(refusal(body, (asked) => way?.request(asked) ?? {})).toEqual([
      "input",
      'input, as messages[0].content[0].image_url.url: expected a base64 data URL or an http(s) URL, found "ftp://x".',
    ]);
  });
});
