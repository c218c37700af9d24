import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import { describe, expect, test } from "vitest";

import { countTokensRequest } from "../count-tokens.ts";
import { DialectError } from "../translation.ts";
import { messagesToChat } from "./messages-to-chat.ts";

const PNG = "iVBORw0KGgo=";
const ask = { model: "m", max_tokens: 100 };
const hello = [{ role: "user", content: "hi" }];

/** The refusal's path and text. */
function refusal(body: Readonly<Record<string, unknown>>): [string, string] {
  try {
    messagesToChat(body);
  } catch (error) {
    if (error instanceof DialectError) return [error.param, error.message];
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a messages request as a chat", () => {
  test("system, turns, images, calls and their results in order", () => {
    const body = {
      ...ask,
      system: [
        { type: "text", text: "Be brief." },
        { type: "text", text: "Be kind.", cache_control: { type: "ephemeral" } },
      ],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } },
            { type: "image", source: { type: "url", url: "https://x.test/a.png" } },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "text", text: "Let me look. " },
            { type: "text", text: "Twice." },
            { type: "tool_use", id: "t1", name: "look", input: { where: "left", n: 1 } },
            { type: "tool_use", id: "t2", name: "look", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t1", content: "a cat" },
            { type: "text", text: "And?" },
            {
              type: "tool_result",
              tool_use_id: "t2",
              content: [
                { type: "text", text: "a" },
                { type: "text", text: "dog" },
              ],
            },
          ],
        },
      ],
    } satisfies MessageCreateParams;
    const expected = {
      model: "m",
      max_tokens: 100,
      messages: [
        { role: "system", content: "Be brief.\n\nBe kind." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
            { type: "image_url", image_url: { url: "https://x.test/a.png" } },
          ],
        },
        {
          role: "assistant",
          content: "Let me look. Twice.",
          tool_calls: [
            { id: "t1", type: "function", function: { name: "look", arguments: '{"where":"left","n":1}' } },
            { id: "t2", type: "function", function: { name: "look", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "t1", content: "a cat" },
        { role: "tool", tool_call_id: "t2", content: "a\ndog" },
        { role: "user", content: "And?" },
      ],
    } satisfies ChatCompletionCreateParams;
    expect(messagesToChat(body)).toEqual(expected);
  });

  test("tools, their choice, stops, sampling, user, schema and stream", () => {
    const schema = { type: "object", properties: { a: { type: "number" } }, additionalProperties: false };
    const body = {
      ...ask,
      messages: [{ role: "user", content: "hi" }],
      tools: [
        {
          name: "f",
          description: "does f",
          input_schema: { type: "object", properties: {} },
          cache_control: { type: "ephemeral" },
        },
        { type: "custom", name: "g", input_schema: { type: "object" }, strict: true },
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      stop_sequences: ["END", "\n\n"],
      metadata: { user_id: "u1" },
      output_config: { effort: "high", format: { type: "json_schema", schema } },
      stream: true,
      service_tier: "auto",
    } satisfies MessageCreateParams;
    const expected = {
      model: "m",
      max_tokens: 100,
      messages: [{ role: "user", content: "hi" }],
      tools: [
        {
          type: "function",
          function: { name: "f", description: "does f", parameters: { type: "object", properties: {} } },
        },
        { type: "function", function: { name: "g", parameters: { type: "object" }, strict: true } },
      ],
      tool_choice: "required",
      parallel_tool_calls: false,
      stop: ["END", "\n\n"],
      temperature: 0.5,
      top_p: 0.9,
      user: "u1",
      reasoning_effort: "high",
      response_format: { type: "json_schema", json_schema: { name: "answer", schema, strict: true } },
      stream: true,
      stream_options: { include_usage: true },
    } satisfies ChatCompletionCreateParams;
    expect(messagesToChat({ ...body, temperature: 0.5, top_p: 0.9 })).toEqual(expected);
  });

  test.each([
    [{ type: "auto" }, { tool_choice: "auto" }],
    [
      { type: "auto", disable_parallel_tool_use: false },
      { tool_choice: "auto", parallel_tool_calls: true },
    ],
    [{ type: "none" }, { tool_choice: "none" }],
    [{ type: "tool", name: "f" }, { tool_choice: { type: "function", function: { name: "f" } } }],
  ])("tool_choice %j", (tool_choice, expected) => {
    const tools = [{ name: "f", input_schema: { type: "object" } }];
    expect(messagesToChat({ ...ask, messages: hello, tools, tool_choice })).toMatchObject(expected);
  });

  test("thinking goes to the engine as its reasoning; signatures and redacted thoughts are kept beside it", () => {
    const messages = [
      { role: "user", content: "hi" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "s1" },
          { type: "redacted_thinking", data: "xyz" },
          { type: "text", text: "ho" },
        ],
      },
      { role: "assistant", content: [{ type: "thinking", thinking: "unsigned", signature: "" }] },
    ];
    expect(messagesToChat({ ...ask, messages })["messages"]).toEqual([
      { role: "user", content: "hi" },
      {
        role: "assistant",
        content: "ho",
        reasoning_content: "hm",
        thinking_blocks: [
          { type: "thinking", thinking: "hm", signature: "s1" },
          { type: "redacted_thinking", data: "xyz" },
        ],
      },
      { role: "assistant", content: "", reasoning_content: "unsigned" },
    ]);
  });

  test.each([
    [{ type: "disabled" }, { chat_template_kwargs: { enable_thinking: false } }],
    [{ type: "adaptive" }, { chat_template_kwargs: { enable_thinking: true } }],
    [
      { type: "enabled", budget_tokens: 10_000 },
      {
        chat_template_kwargs: { enable_thinking: true },
        thinking_budget_tokens: 10_000,
        reasoning_effort: "medium",
      },
    ],
  ])("thinking %j", (thinking, expected) => {
    expect(messagesToChat({ ...ask, messages: hello, thinking })).toEqual({
      ...ask,
      messages: hello,
      ...expected,
    });
  });

  test("a failed tool is told to the model in words; images in results stay where they are", () => {
    const source = { type: "base64", media_type: "image/png", data: PNG };
    const result = (content: unknown, is_error?: boolean): unknown => ({
      type: "tool_result",
      tool_use_id: "t",
      content,
      ...(is_error === undefined ? {} : { is_error }),
    });
    const content = [
      result("not found", true),
      result("Error: not found", true),
      result([{ type: "image", source }], false),
      result(undefined),
    ];
    expect(messagesToChat({ ...ask, messages: [{ role: "user", content }] })["messages"]).toEqual([
      { role: "tool", tool_call_id: "t", content: "Error:\nnot found", is_error: true },
      { role: "tool", tool_call_id: "t", content: "Error: not found", is_error: true },
      {
        role: "tool",
        tool_call_id: "t",
        content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }],
      },
      { role: "tool", tool_call_id: "t", content: "" },
    ]);
  });

  test("text documents and search results are text", () => {
    const content = [
      { type: "document", title: "T", source: { type: "text", media_type: "text/plain", data: "words" } },
      { type: "search_result", source: "s", title: "R", content: [{ type: "text", text: "found" }] },
    ];
    expect(messagesToChat({ ...ask, messages: [{ role: "user", content }] })["messages"]).toEqual([
      {
        role: "user",
        content: "T\n\nwords\nR\ns\n\nfound",
      },
    ]);
  });

  test("members that Anthropic does not know stay", () => {
    expect(messagesToChat({ ...ask, messages: hello, seed: 7, min_p: 0.1, top_k: 5 })).toEqual({
      ...ask,
      messages: hello,
      seed: 7,
      min_p: 0.1,
      top_k: 5,
    });
  });

  test("the changing stamp in Claude Code's system prompt is blanked", () => {
    const system = "x-anthropic-billing-header: cc_version=2.1; cch=a5145;You are";
    expect(messagesToChat({ ...ask, system, messages: hello })["messages"]).toContainEqual({
      role: "system",
      content: "x-anthropic-billing-header: cc_version=2.1; cch=fffff;You are",
    });
  });

  test("what count_tokens asks for is the prompt and nothing else", () => {
    const tools = [{ name: "f", input_schema: { type: "object" } }];
    expect(countTokensRequest({ model: "m", system: "s", messages: hello, tools, stream: true })).toEqual({
      model: "m",
      messages: [{ role: "system", content: "s" }, ...hello],
      tools: [{ type: "function", function: { name: "f", parameters: { type: "object" } } }],
    });
  });
});

describe("a messages request that is refused", () => {
  const user = (...content: unknown[]): Readonly<Record<string, unknown>> => ({
    ...ask,
    messages: [{ role: "user", content }],
  });

  test.each([
    [{}, "messages", "messages: expected a list, found nothing."],
    [{ messages: "x" }, "messages", "messages: expected a list, found a string."],
    [{ messages: [] }, "messages", "messages: expected at least one message."],
    [{ messages: [3] }, "messages[0]", "messages[0]: expected a message, found a number."],
    [
      { messages: [{ role: "tool" }] },
      "messages[0].role",
      'messages[0].role: expected "user", "assistant" or "system", found "tool".',
    ],
    [
      { messages: [{ role: "user" }] },
      "messages[0].content",
      "messages[0].content: expected a string or a list of blocks, found nothing.",
    ],
    [
      user({ type: "tool_result", content: "x" }),
      "messages[0].content[0].tool_use_id",
      "messages[0].content[0].tool_use_id: expected the id of the tool_use it answers, found nothing.",
    ],
    [
      user({ type: "text", text: "a" }, { type: "video" }),
      "messages[0].content[1].type",
      'messages[0].content[1]: blocks of type "video" have no counterpart at this engine.',
    ],
    [
      user({ type: "document", title: "Q3", source: { type: "base64", media_type: "application/pdf" } }),
      "messages[0].content[0].source.type",
      'messages[0].content[0]: document "Q3" is no text ("application/pdf"), and this engine reads text and images only. Send its text.',
    ],
    [
      user({ type: "image", source: { type: "file", file_id: "f" } }),
      "messages[0].content[0].source.type",
      "messages[0].content[0].source.type: this engine takes images as base64 or url; files that were uploaded to a provider are not here.",
    ],
    [
      { messages: hello, tools: [{ type: "web_search_20250305", name: "web_search" }] },
      "tools[0].type",
      'tools[0]: "web_search_20250305" is a tool that Anthropic defines, and this engine does not know it. Give it as a tool with its own input_schema.',
    ],
    [{ messages: hello, max_tokens: "100" }, "max_tokens", "max_tokens: expected a number, found a string."],
    [
      { messages: hello, stop_sequences: ["a", 1] },
      "stop_sequences[1]",
      "stop_sequences[1]: expected a string, found a number.",
    ],
    [{ messages: hello, n: 2 }, "n", "n: the messages dialect has one answer only."],
    [
      { messages: hello, thinking: { type: "enabled" } },
      "thinking.budget_tokens",
      "thinking.budget_tokens: expected a number.",
    ],
  ])("%j", (body, param, message) => {
    expect(refusal(body)).toEqual([param, message]);
  });

  test("blocks of tools that Anthropic's servers ran", () => {
    const content = [{ type: "server_tool_use", id: "s", name: "web_search", input: {} }];
    const [param, message] = refusal({ messages: [{ role: "assistant", content }] });
    expect(param).toBe("messages[0].content[0].type");
    expect(message).toContain("belong to tools that Anthropic's servers run");
  });
});
