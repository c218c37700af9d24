import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import type { ResponseCreateParams } from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";

import { DialectError } from "../translation.ts";
import { responsesToChat } from "./responses-to-chat.ts";

function refusal(body: Readonly<Record<string, unknown>>): [string, string] {
  try {
    responsesToChat(body);
  } catch (error) {
    if (error instanceof DialectError) return [error.param, error.message];
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a responses request as a chat", () => {
  test("a text alone", () => {
    const body = {
      model: "m",
      input: "hi",
      instructions: "Be brief.",
      store: false,
      previous_response_id: "resp_0",
    } satisfies ResponseCreateParams;
    expect(responsesToChat(body)).toEqual({
      model: "m",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
      ],
    });
  });

  test("items: one turn of the assistant is one message", () => {
    const body = {
      model: "m",
      input: [
        { role: "developer", content: "Rules." },
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "look" },
            { type: "input_image", image_url: "https://x.test/a.png", detail: "low" },
          ],
        },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "hm" }],
          encrypted_content: "signature:s1",
        },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "ok", annotations: [] }],
        },
        { type: "function_call", id: "fc_1", call_id: "c1", name: "f", arguments: '{"a": 1}' },
        { type: "function_call", id: "fc_2", call_id: "c2", name: "g", arguments: "{}" },
        { type: "function_call_output", call_id: "c1", output: "one" },
        { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "two" }] },
        { role: "assistant", content: "done" },
        { role: "user", content: [{ type: "input_text", text: "thanks" }] },
      ],
    } satisfies ResponseCreateParams;
    expect(responsesToChat(body)["messages"]).toEqual([
      { role: "system", content: "Rules." },
      {
        role: "user",
        content: [
          { type: "text", text: "look" },
          { type: "image_url", image_url: { url: "https://x.test/a.png", detail: "low" } },
        ],
      },
      {
        role: "assistant",
        content: "ok",
        reasoning_content: "hm",
        thinking_blocks: [{ type: "thinking", thinking: "hm", signature: "s1" }],
        tool_calls: [
          { id: "c1", type: "function", function: { name: "f", arguments: '{"a": 1}' } },
          { id: "c2", type: "function", function: { name: "g", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "c1", content: "one" },
      { role: "tool", tool_call_id: "c2", content: "two" },
      { role: "assistant", content: "done" },
      { role: "user", content: "thanks" },
    ]);
  });

  test("settings; mcp entries are left out, allowed tools alone are given", () => {
    const schema = { type: "object", properties: {}, additionalProperties: false };
    const body = {
      model: "m",
      input: "hi",
      max_output_tokens: 50,
      temperature: 0.2,
      top_p: 0.9,
      stream: true,
      user: "u",
      parallel_tool_calls: false,
      reasoning: { effort: "low", summary: "auto" },
      text: { format: { type: "json_schema", name: "n", schema, strict: true }, verbosity: "low" },
      tools: [
        { type: "function", name: "f", description: "d", parameters: schema, strict: true },
        { type: "function", name: "g", parameters: null, strict: null },
        { type: "mcp", server_label: "files", server_url: "http://x.test" },
      ],
      tool_choice: {
        type: "allowed_tools",
        mode: "required",
        tools: [{ type: "function", name: "f" }],
      },
    } satisfies ResponseCreateParams;
    const expected = {
      model: "m",
      messages: [{ role: "user", content: "hi" }],
      max_tokens: 50,
      temperature: 0.2,
      top_p: 0.9,
      stream: true,
      stream_options: { include_usage: true },
      user: "u",
      parallel_tool_calls: false,
      reasoning_effort: "low",
      response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
      verbosity: "low",
      tools: [
        { type: "function", function: { name: "f", description: "d", parameters: schema, strict: true } },
      ],
      tool_choice: "required",
    } satisfies ChatCompletionCreateParams;
    expect(responsesToChat(body)).toEqual(expected);
  });

  test.each([
    ["auto", "auto"],
    ["none", "none"],
    [
      { type: "function", name: "f" },
      { type: "function", function: { name: "f" } },
    ],
    [{ type: "mcp", server_label: "s" }, "auto"],
  ])("tool_choice %j", (tool_choice, expected) => {
    const tools = [{ type: "function", name: "f", parameters: {}, strict: false }];
    expect(responsesToChat({ input: "x", tools, tool_choice })["tool_choice"]).toEqual(expected);
  });

  test("calls that the gateway ran are calls and results; what was said about them is nothing", () => {
    const input = [
      { role: "user", content: "x" },
      { type: "mcp_list_tools", id: "l", server_label: "s", tools: [] },
      { type: "mcp_call", id: "mcp_1", name: "f", server_label: "s", arguments: "{}", output: "ok" },
      { type: "mcp_call", id: "mcp_2", name: "f", server_label: "s", arguments: "{}", error: "denied" },
    ];
    const call = (id: string): unknown => ({
      role: "assistant",
      content: null,
      tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }],
    });
    expect(responsesToChat({ input })["messages"]).toEqual([
      { role: "user", content: "x" },
      call("mcp_1"),
      { role: "tool", tool_call_id: "mcp_1", content: "ok" },
      call("mcp_2"),
      { role: "tool", tool_call_id: "mcp_2", content: "Error: denied", is_error: true },
    ]);
  });

  test("text files are read, others are refused by name", () => {
    const file = (file_data: string): Readonly<Record<string, unknown>> => ({
      input: [{ role: "user", content: [{ type: "input_file", filename: "a.txt", file_data }] }],
    });
    const text = Buffer.from("wörter").toString("base64");
    expect(responsesToChat(file(`data:text/plain;base64,${text}`))["messages"]).toEqual([
      { role: "user", content: "a.txt\n\nwörter" },
    ]);
    expect(refusal(file(`data:application/pdf;base64,${text}`))).toEqual([
      "input[0].content[0]",
      'input[0].content[0]: "a.txt" is no text in file_data (text/* as base64), and this engine reads text and images only. Send its text.',
    ]);
  });
});

describe("a responses request that is refused", () => {
  test.each([
    [{}, "input", "input: expected a string or a list of items, found nothing."],
    [{ input: [] }, "input", "input: expected at least one item."],
    [
      { input: [{ type: "item_reference", id: "x" }] },
      "input[0].type",
      'input[0].type: expected "message", "function_call", "function_call_output", "reasoning" or "mcp_call", found "item_reference".',
    ],
    [
      { input: [{ role: "robot", content: "x" }] },
      "input[0].role",
      'input[0].role: expected "user", "assistant", "system" or "developer", found "robot".',
    ],
    [
      { input: [{ type: "function_call_output", output: "x" }] },
      "input[0].call_id",
      "input[0].call_id: expected a string, found nothing.",
    ],
    [
      { input: "x", tools: [{ type: "web_search" }] },
      "tools[0].type",
      'tools[0]: expected a tool of type "function" or "mcp"; "web_search" is run by OpenAI\'s servers or has no counterpart at this engine.',
    ],
    [
      { input: "x", conversation: "conv_1" },
      "conversation",
      "conversation: conversations are kept by OpenAI; use previous_response_id or send the whole input.",
    ],
    [
      { input: "x", text: { format: { type: "json_schema", name: "n" } } },
      "text.format.schema",
      "text.format.schema: expected a JSON schema, found nothing.",
    ],
    [{ input: "x", n: 2 }, "n", "n: the responses dialect has one answer only."],
  ])("%j", (body, param, message) => {
    expect(refusal(body)).toEqual([param, message]);
  });
});
