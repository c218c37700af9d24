import type { Message, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";
import type { Response as ModelResponse } from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";

import type { JsonObject } from "../../src/dialects/index.ts";
import { SseReader } from "../../src/dialects/index.ts";
import {
  anthropic,
  callDelta,
  counted,
  dataOf,
  delta,
  finished,
  openai,
  streamOf,
  translated,
} from "./official-clients.ts";

const ask = { model: "m", max_tokens: 9, messages: [{ role: "user" as const, content: "x" }] };

/** Thinking, text, two calls, usage: everything an engine of the chat dialect says. */
const CHAT: readonly JsonObject[] = [
  delta({ role: "assistant", content: null }),
  delta({ reasoning_content: "Let me " }),
  delta({ reasoning_content: "see." }),
  delta({ content: "Grüße" }),
  delta({ content: " 🌍" }),
  callDelta(0, { name: "weather", arguments: "" }, "call_a"),
  callDelta(0, { arguments: '{"city": "' }),
  callDelta(0, { arguments: 'Köln"}' }),
  callDelta(1, { name: "time", arguments: "{}" }, "call_b"),
  finished("tool_calls"),
  counted,
];

/** The same as an engine of Anthropic's dialect says it. */
const MESSAGES = [
  {
    type: "message_start",
    message: {
      id: "msg_7",
      type: "message",
      role: "assistant",
      model: "claude",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 7, cache_read_input_tokens: 5, output_tokens: 1 },
    },
  },
  { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
  { type: "ping" },
  { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Let me see." } },
  { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "sig" } },
  { type: "content_block_stop", index: 0 },
  { type: "content_block_start", index: 1, content_block: { type: "redacted_thinking", data: "dark" } },
  { type: "content_block_stop", index: 1 },
  { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "Grüße 🌍" } },
  { type: "content_block_stop", index: 2 },
  {
    type: "content_block_start",
    index: 3,
    content_block: { type: "tool_use", id: "toolu_a", name: "weather", input: {} },
  },
  { type: "content_block_delta", index: 3, delta: { type: "input_json_delta", partial_json: "" } },
  {
    type: "content_block_delta",
    index: 3,
    delta: { type: "input_json_delta", partial_json: '{"city": "Köln"}' },
  },
  { type: "content_block_stop", index: 3 },
  {
    type: "content_block_start",
    index: 4,
    content_block: { type: "tool_use", id: "toolu_b", name: "time", input: {} },
  },
  { type: "content_block_stop", index: 4 },
  {
    type: "message_delta",
    delta: { stop_reason: "tool_use", stop_sequence: null },
    usage: { output_tokens: 34 },
  },
  { type: "message_stop" },
] as const satisfies readonly JsonObject[];

describe("a messages client at a chat engine", () => {
  test("the official client reads thinking, text, calls, stop reason and usage", async () => {
    const message = await anthropic(translated("messages", "chat", [...CHAT, "[DONE]"]))
      .messages.stream(ask)
      .finalMessage();
    const expected: Message = {
      id: "msg_7",
      type: "message",
      role: "assistant",
      model: "qwen3",
      container: null,
      diagnostics: null,
      stop_details: null,
      stop_reason: "tool_use",
      stop_sequence: null,
      content: [
        { type: "thinking", thinking: "Let me see.", signature: "" },
        { type: "text", text: "Grüße 🌍", citations: null },
        {
          type: "tool_use",
          id: "call_a",
          name: "weather",
          input: { city: "Köln" },
          caller: { type: "direct" },
        },
        { type: "tool_use", id: "call_b", name: "time", input: {}, caller: { type: "direct" } },
      ],
      usage: {
        input_tokens: 7,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: null,
        cache_creation: null,
        output_tokens: 34,
        output_tokens_details: null,
        server_tool_use: null,
        inference_geo: null,
        service_tier: null,
        speed: null,
      },
    };
    expect(message).toMatchObject(expected);
  });

  test("the events are those of the dialect, in their order", () => {
    const events = [delta({ content: "a" }), finished("length")];
    const expected: readonly RawMessageStreamEvent[] = [
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "", citations: null } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } },
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "max_tokens", stop_details: null, stop_sequence: null, container: null },
        usage: {
          input_tokens: 0,
          cache_creation_input_tokens: null,
          cache_read_input_tokens: null,
          output_tokens: 0,
          output_tokens_details: null,
          server_tool_use: null,
        },
      },
      { type: "message_stop" },
    ];
    const said = dataOf(translated("messages", "chat", events)).map((data): unknown => JSON.parse(data));
    expect(said.slice(1)).toEqual(expected);
    expect(said[0]).toMatchObject({ type: "message_start", message: { id: "msg_7", content: [] } });
  });

  test.each([
    ["stop", {}, "end_turn", null],
    ["stop", { stop_reason: "END" }, "stop_sequence", "END"],
    ["stop", { stop_reason: 151_645 }, "end_turn", null],
    ["stop", { matched_stop: "END" }, "stop_sequence", "END"],
    ["length", {}, "max_tokens", null],
    ["tool_calls", {}, "tool_use", null],
    ["content_filter", {}, "refusal", null],
  ])("finish_reason %s with %j is %s", (reason, members, stop_reason, stop_sequence) => {
    const said = dataOf(translated("messages", "chat", [finished(reason, members)]));
    expect(JSON.parse(said.at(-2) ?? "")).toMatchObject({ delta: { stop_reason, stop_sequence } });
  });

  test.each([
    [
      "usage before the finish",
      [delta({ content: "a" }), { ...delta({}), usage: counted["usage"] }, finished("stop")],
    ],
    ["usage with the finish", [delta({ content: "a" }), { ...finished("stop"), usage: counted["usage"] }]],
    ["content with the finish", [{ ...finished("stop", { delta: { content: "a" } }) }, counted]],
    ["usage and no [DONE]", [delta({ content: "a" }), finished("stop"), counted]],
  ])("%s", async (_name, events) => {
    const message = await anthropic(translated("messages", "chat", events))
      .messages.stream(ask)
      .finalMessage();
    expect(message.content).toMatchObject([{ type: "text", text: "a" }]);
    const said = events.some((event) => event["usage"] !== undefined) ? 34 : 0;
    expect(message.usage.output_tokens).toBe(said);
  });
});

describe("a responses client at a chat engine", () => {
  test("the official client reads items, status and usage; every event is numbered", async () => {
    const wire = translated("responses", "chat", [...CHAT, "[DONE]"], {
      instructions: "Be brief.",
      temperature: 0.5,
    });
    const stream = openai(wire).responses.stream({ model: "m", input: "x" });
    const numbers: number[] = [];
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      if ("sequence_number" in event) numbers.push(event.sequence_number);
    }
    expect(numbers).toEqual(numbers.map((_number, at) => at));
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.reasoning_text.delta",
      "response.reasoning_text.delta",
      "response.reasoning_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const final = await stream.finalResponse();
    const expected: Partial<ModelResponse> = {
      id: "resp_7",
      object: "response",
      created_at: 1_700_000_000,
      status: "completed",
      model: "qwen3",
      instructions: "Be brief.",
      temperature: 0.5,
      error: null,
      incomplete_details: null,
      output_text: "Grüße 🌍",
      usage: {
        input_tokens: 12,
        input_tokens_details: { cached_tokens: 5, cache_write_tokens: 0 },
        output_tokens: 34,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 46,
      },
    };
    expect(final).toMatchObject(expected);
    expect(final.output).toMatchObject([
      { type: "reasoning", id: "rs_7_0", content: [{ type: "reasoning_text", text: "Let me see." }] },
      {
        type: "message",
        id: "msg_7_1",
        status: "completed",
        content: [{ type: "output_text", text: "Grüße 🌍" }],
      },
      {
        type: "function_call",
        id: "fc_7_2",
        call_id: "call_a",
        name: "weather",
        arguments: '{"city": "Köln"}',
      },
      { type: "function_call", id: "fc_7_3", call_id: "call_b", name: "time", arguments: "{}" },
    ]);
  });

  test("a client that asks for a summary gets the thinking as one", async () => {
    const wire = translated("responses", "chat", CHAT, { reasoning: { summary: "auto" } });
    const final = await openai(wire).responses.stream({ model: "m", input: "x" }).finalResponse();
    expect(final.output[0]).toMatchObject({ summary: [{ type: "summary_text", text: "Let me see." }] });
    expect(wire).toContain("event: response.reasoning_summary_text.delta");
  });

  test.each([
    ["length", "max_output_tokens"],
    ["content_filter", "content_filter"],
  ])("finish_reason %s is an incomplete response", async (reason, why) => {
    const wire = translated("responses", "chat", [delta({ content: "a" }), finished(reason)]);
    const final = await openai(wire).responses.stream({ model: "m", input: "x" }).finalResponse();
    expect(final.status).toBe("incomplete");
    expect(final.incomplete_details).toEqual({ reason: why });
    expect(final.output).toMatchObject([{ type: "message", status: "incomplete" }]);
  });

  test("a refusal is a part of its own", async () => {
    const wire = translated("responses", "chat", [
      delta({ refusal: "I " }),
      delta({ refusal: "won't" }),
      finished("stop"),
    ]);
    const final = await openai(wire).responses.stream({ model: "m", input: "x" }).finalResponse();
    expect(final.output).toMatchObject([{ content: [{ type: "refusal", refusal: "I won't" }] }]);
  });
});

describe("clients at an engine of Anthropic's dialect", () => {
  test("a chat client reads text, calls and usage; signatures travel in thinking_blocks", async () => {
    const wire = translated("chat", "messages", MESSAGES, { stream_options: { include_usage: true } });
    const final = await openai(wire)
      .chat.completions.stream({ model: "m", messages: [], stream_options: { include_usage: true } })
      .finalChatCompletion();
    expect(final).toMatchObject({
      id: "chatcmpl-7",
      model: "claude",
      choices: [
        {
          finish_reason: "tool_calls",
          message: {
            role: "assistant",
            content: "Grüße 🌍",
            tool_calls: [
              { id: "toolu_a", function: { name: "weather", arguments: '{"city": "Köln"}' } },
              { id: "toolu_b", function: { name: "time", arguments: "{}" } },
            ],
          },
        },
      ],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 34,
        total_tokens: 46,
        prompt_tokens_details: { cached_tokens: 5 },
      },
    });
    expect(wire).toContain(
      '"thinking_blocks":[{"type":"thinking","thinking":"Let me see.","signature":"sig"}]',
    );
    expect(wire).toContain('"thinking_blocks":[{"type":"redacted_thinking","data":"dark"}]');
    expect(dataOf(wire).at(-1)).toBe("[DONE]");
  });

  test("usage is left out where the chat client did not ask for it", () => {
    expect(translated("chat", "messages", MESSAGES)).not.toContain('"usage"');
  });

  test("a responses client gets what it has to send back in encrypted_content", async () => {
    const wire = translated("responses", "messages", MESSAGES);
    const final = await openai(wire).responses.stream({ model: "m", input: "x" }).finalResponse();
    expect(final.output).toMatchObject([
      { type: "reasoning", content: [{ text: "Let me see." }], encrypted_content: "signature:sig" },
      { type: "reasoning", content: [], encrypted_content: "redacted:dark" },
      { type: "message" },
      { type: "function_call", call_id: "toolu_a" },
      { type: "function_call", call_id: "toolu_b", arguments: "{}" },
    ]);
  });

  test("from chat to messages and back to chat, nothing is lost", () => {
    const asMessages = dataOf(translated("messages", "chat", CHAT));
    const request = { stream_options: { include_usage: true } };
    const back = translated("chat", "messages", asMessages, request);
    expect(dataOf(translated("messages", "chat", dataOf(back)))).toEqual(asMessages);
  });
});

describe("streams that go wrong", () => {
  const failure = { error: { message: "out of memory", type: "server_error", code: 500 } };

  test("an error event of the engine is the client's error event, and nothing follows", () => {
    const wire = translated("messages", "chat", [delta({ content: "a" }), failure, finished("stop")]);
    expect(dataOf(wire).at(-1)).toBe(
      '{"type":"error","error":{"type":"api_error","message":"out of memory"},"request_id":null}',
    );
    expect(wire).not.toContain("message_stop");
  });

  test("the official clients throw it", async () => {
    const cut = [delta({ content: "a" }), failure];
    await expect(
      anthropic(translated("messages", "chat", cut))
        .messages.stream(ask)
        .finalMessage(),
    ).rejects.toThrow("out of memory");
    await expect(
      openai(translated("responses", "chat", cut))
        .responses.stream({ model: "m", input: "x" })
        .finalResponse(),
    ).rejects.toThrow("out of memory");
    const overloaded = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    await expect(
      openai(translated("chat", "messages", [...MESSAGES.slice(0, 5), overloaded]))
        .chat.completions.stream({ model: "m", messages: [] })
        .finalChatCompletion(),
    ).rejects.toThrow("Overloaded");
  });

  test.each([
    [{ error: { message: "busy", code: 429 } }, "rate_limit_error"],
    [{ error: { message: "busy", type: "unavailable_error" } }, "overloaded_error"],
    [{ error: "busy" }, "api_error"],
    [{ object: "error", message: "busy", code: 400 }, "invalid_request_error"],
    [{ error: { message: "busy" }, choices: [{ delta: {}, finish_reason: "error" }] }, "api_error"],
  ])("%j is told as %s", (event, type) => {
    const said = dataOf(translated("messages", "chat", [delta({ content: "a" }), event]));
    expect(JSON.parse(said.at(-1) ?? "")).toMatchObject({ type: "error", error: { type, message: "busy" } });
  });

  test("a failed response says what there was, marked incomplete", () => {
    const translator = streamOf("responses", "chat");
    translator.event(JSON.stringify(delta({ content: "a" })));
    const said = dataOf(
      translator.error({ status: 502, type: "server_error", code: "cut", message: "Gone." }),
    );
    expect(said.map((data): unknown => JSON.parse(data)).slice(-2)).toMatchObject([
      {
        type: "response.failed",
        response: {
          status: "failed",
          error: { code: "server_error", message: "Gone." },
          output: [{ type: "message", status: "incomplete", content: [{ text: "a" }] }],
        },
      },
      { type: "error", code: "cut", message: "Gone." },
    ]);
    expect(translator.event(JSON.stringify(delta({ content: "b" })))).toBe("");
    expect(translator.end()).toBe("");
    expect(translator.error({ status: 502, type: "server_error", code: "cut", message: "Again." })).toBe("");
  });

  test.each(["{", "[]", "null", "3", '"x"'])("an event of %s is told as malformed", (data) => {
    expect(translated("messages", "chat", [delta({ content: "a" }), data])).toContain(
      "The engine sent an event that is no JSON",
    );
  });

  test("calls that all have the same index, or none, stay apart by their ids", () => {
    const call = (id: string, name: string, index?: number): JsonObject =>
      delta({
        tool_calls: [
          { ...(index === undefined ? {} : { index }), id, function: { name, arguments: '{"a":1}' } },
        ],
      });
    for (const index of [0, undefined]) {
      const wire = translated("messages", "chat", [
        call("x", "f", index),
        call("y", "g", index),
        finished("stop"),
      ]);
      const starts = dataOf(wire).filter((data) => data.includes("content_block_start"));
      expect(starts.map((data): unknown => JSON.parse(data))).toMatchObject([
        { index: 0, content_block: { id: "x", name: "f" } },
        { index: 1, content_block: { id: "y", name: "g" } },
      ]);
      expect(wire).toContain('"stop_reason":"tool_use"');
    }
  });
});

/** Text, a call and the end of both streams: short enough to be cut at every byte. */
const SHORT_CHAT = [CHAT[3], CHAT[5], CHAT[7], CHAT[9], counted].filter((event) => event !== undefined);
const SHORT_MESSAGES = [0, 8, 9, 10, 11, 13, 14, 17, 18].flatMap((at) => MESSAGES[at] ?? []);

test.each([
  ["messages", "chat", SHORT_CHAT],
  ["responses", "chat", SHORT_CHAT],
  ["chat", "messages", SHORT_MESSAGES],
  ["responses", "messages", SHORT_MESSAGES],
] as const)("%s at %s: cut at every byte, the client is sent the same", (from, to, events) => {
  const bytes = Buffer.from(
    events.map((event) => `event: x\r\ndata: ${JSON.stringify(event)}\r\n\r\n`).join(""),
  );
  const whole = translated(from, to, events);
  const different: number[] = [];
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const reader = new SseReader();
    const translator = streamOf(from, to);
    const read = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((piece) => reader.push(piece));
    const said = read.map((event) => translator.event(event.data, event.event)).join("") + translator.end();
    if (said !== whole) different.push(cut);
  }
  expect(different).toEqual([]);
  expect(whole).not.toBe("");
});
