import { describe, expect, it } from "vitest";
import { emptyAnswer, textOf } from "../turn.ts";
import type { AnswerTurn } from "../turn.ts";
import { broken } from "./grow.ts";
import { answerSpeed } from "./answer-speed.ts";
import { ended, heardChat } from "./heard-chat.ts";
import { heardComment } from "./heard-comment.ts";
import { heardImage } from "./heard-image.ts";
import { heardResponse } from "./heard-response.ts";
import { servedBy } from "./served-by.ts";

const BEGUN = emptyAnswer("turn 1", "main", 1000);

const chunk = (delta: unknown, finish: string | null = null): string =>
  JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] });

/** An answer after events that come 100 ms after each other. */
const after = (
  events: readonly unknown[],
  hear: (answer: AnswerTurn, data: string, now: number) => AnswerTurn,
): AnswerTurn =>
  events.reduce<AnswerTurn>(
    (answer, event, index) =>
      hear(answer, typeof event === "string" ? event : JSON.stringify(event), 1100 + index * 100),
    BEGUN,
  );

describe("a chat completion", () => {
  it("is text, thoughts, times and usage, and ends with its reason", () => {
    const answer = after(
      [
        chunk({ role: "assistant", content: "" }),
        chunk({ reasoning_content: "Well. " }),
        chunk({ content: "Hello" }),
        chunk({ content: " there" }),
        chunk({}, "stop"),
        { choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } },
        "[DONE]",
      ],
      heardChat,
    );
    expect(answer).toMatchObject({
      state: "ended",
      finish: "stop",
      first: 1200,
      last: 1400,
      usage: { prompt: 7, completion: 3 },
      parts: [
        { kind: "reasoning", text: "Well. " },
        { kind: "text", text: "Hello there" },
      ],
    });
    expect(answerSpeed(answer)).toEqual({ ttft: 200, tokensPerSecond: 10 });
  });

  it("that stops without a reason to finish is cut, never ended", () => {
    const answer = ended(after([chunk({ content: "Half" })], heardChat));
    expect(answer).toMatchObject({ state: "cut", error: { code: "incomplete" } });
    expect(textOf(answer)).toBe("Half");
  });

  it("with an error event is cut where something was said, failed where nothing was, whatever follows", () => {
    const error = { error: { code: "upstream_cut", message: "It broke." } };
    const cut = after([chunk({ content: "Half" }), error, "[DONE]"], heardChat);
    expect(cut).toMatchObject({ state: "cut", error: { code: "upstream_cut", message: "It broke." } });
    expect(after([error], heardChat).state).toBe("failed");
  });

  it("puts the pieces of a function call together", () => {
    const piece = (name: string, text: string): string =>
      chunk({ tool_calls: [{ index: 0, function: { name, arguments: text } }] });
    const answer = after([piece("look", ""), piece("", '{"at":'), piece("", "1}")], heardChat);
    expect(answer.parts).toMatchObject([{ kind: "call", call: { name: "look", arguments: '{"at":1}' } }]);
  });
});

describe("comments of a stream", () => {
  it("say how far a wait is, until something comes", () => {
    const waiting = heardComment(BEGUN, " waiting: oracle is loading, 40 %", 1100);
    expect(waiting.waiting).toBe("oracle is loading, 40 %");
    expect(heardChat(waiting, chunk({ content: "Hi" }), 1200).waiting).toBeUndefined();
  });

  it("mark where another engine went on", () => {
    const said = heardChat(BEGUN, chunk({ content: "12345" }), 1100);
    expect(heardComment(said, " omni-continued service=oracle-2 at=5", 1200).continued).toEqual([
      { part: 0, at: 5, service: "oracle-2" },
    ]);
  });

  it("tell of tools that run on the node", () => {
    const called = heardComment(BEGUN, " tool files__read called", 1100);
    expect(heardComment(called, " tool files__read returned", 1200).parts).toMatchObject([
      { call: { name: "files__read", state: "returned" } },
    ]);
  });
});

describe("a response with tools on the node", () => {
  const item = (type: string, more: Record<string, unknown>): Record<string, unknown> => ({
    type: "response.output_item.done",
    item: { id: "call_1", type, server_label: "files", name: "read", arguments: "{}", ...more },
  });

  it("shows each call with its result", () => {
    const answer = after(
      [
        { type: "response.output_text.delta", delta: "I look." },
        item("mcp_call", { status: "in_progress", output: null, error: null }),
        item("mcp_call", { status: "completed", output: "42", error: null }),
        { type: "response.output_text.delta", delta: "It is 42." },
        {
          type: "response.completed",
          response: { status: "completed", usage: { input_tokens: 5, output_tokens: 9 } },
        },
      ],
      heardResponse,
    );
    expect(answer).toMatchObject({
      state: "ended",
      usage: { prompt: 5, completion: 9 },
      parts: [
        { kind: "text", text: "I look." },
        { kind: "call", call: { server: "files", state: "returned", result: "42" } },
        { kind: "text", text: "It is 42." },
      ],
    });
  });

  it("tells why a call failed, and asks where a person has to agree", () => {
    const error = { type: "mcp_tool_execution_error", content: [{ type: "text", text: "no such file" }] };
    expect(after([item("mcp_call", { output: null, error })], heardResponse).parts).toMatchObject([
      { call: { state: "failed", result: "no such file" } },
    ]);
    expect(after([item("mcp_approval_request", {})], heardResponse).parts).toMatchObject([
      { call: { state: "asked" } },
    ]);
  });

  it("that was stopped by a bound or failed is no whole answer", () => {
    const text = { type: "response.output_text.delta", delta: "So far" };
    const stopped = {
      status: "incomplete",
      incomplete_details: { reason: "max_tool_rounds", message: "Too often." },
    };
    expect(after([text, { type: "response.incomplete", response: stopped }], heardResponse)).toMatchObject({
      state: "cut",
      error: { code: "max_tool_rounds", message: "Too often." },
    });
    const failed = { status: "failed", error: { code: "server_error", message: "Gone." } };
    expect(after([text, { type: "response.failed", response: failed }], heardResponse).state).toBe("cut");
  });
});

describe("images", () => {
  it("take the place of their previews", () => {
    const answer = after(
      [
        { type: "image_generation.partial_image", b64_json: "AAAA", output_format: "jpeg" },
        { type: "image_generation.completed", b64_json: "BBBB", output_format: "png", seed: 7 },
        "[DONE]",
      ],
      heardImage,
    );
    expect(answer.state).toBe("ended");
    expect(answer.parts).toEqual([
      { kind: "image", image: { source: "data:image/png;base64,BBBB", preview: false, seed: 7 } },
    ]);
  });

  it("are never SVG, whatever their format says", () => {
    const event = { type: "image_generation.completed", b64_json: "AAAA", output_format: "svg+xml" };
    expect(after([event], heardImage).parts).toMatchObject([
      { image: { source: "data:image/png;base64,AAAA" } },
    ]);
  });
});

it("the head of an answer says who answers, as far as it is known", () => {
  const headers = new Headers({
    "x-request-id": "req_1",
    "x-omni-service": "oracle",
    "x-omni-attempts": "2",
  });
  expect(servedBy(headers)).toEqual({ request: "req_1", service: "oracle", attempts: 2 });
  expect(servedBy(new Headers())).toEqual({});
});

it("what never began has failed, what had was cut", () => {
  expect(broken(BEGUN, "unreachable", "No.").state).toBe("failed");
});
