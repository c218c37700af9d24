import { describe, expect, test } from "vitest";

import { readEngineError } from "./engine-error.ts";
import type { WireError } from "./wire-error.ts";
import { errorFamily, wireErrorBody, wireErrorEvent } from "./wire-error-body.ts";

const told: WireError = {
  status: 429,
  type: "rate_limit_error",
  code: "queue_full",
  message: "Too many.",
  param: "model",
  retryAfter: 3,
  detail: { waiting: 7 },
};

describe("an error in the words of a family", () => {
  test("OpenAI's envelope", () => {
    expect(wireErrorBody("openai", told)).toEqual({
      error: {
        message: "Too many.",
        type: "rate_limit_error",
        param: "model",
        code: "queue_full",
        waiting: 7,
      },
    });
    expect(wireErrorBody("responses", told)).toEqual(wireErrorBody("openai", told));
  });

  test("Anthropic's, with the request's id", () => {
    expect(wireErrorBody("anthropic", told, "req_1")).toEqual({
      type: "error",
      error: { type: "rate_limit_error", message: "Too many.", waiting: 7 },
      request_id: "req_1",
    });
  });

  test.each([
    [400, "invalid_request_error", "invalid_request_error"],
    [401, "authentication_error", "authentication_error"],
    [402, "invalid_request_error", "billing_error"],
    [404, "not_found_error", "not_found_error"],
    [413, "invalid_request_error", "request_too_large"],
    [500, "server_error", "api_error"],
    [503, "overloaded_error", "overloaded_error"],
    [504, "timeout_error", "timeout_error"],
  ] as const)("status %i, %s, is %s at Anthropic", (status, type, anthropic) => {
    const body = wireErrorBody("anthropic", { status, type, code: "x", message: "m" });
    expect(body["error"]).toEqual({ type: anthropic, message: "m" });
  });

  test("as the last event of a stream", () => {
    const plain: WireError = { status: 502, type: "server_error", code: "cut", message: "Gone." };
    expect(wireErrorEvent(errorFamily("chat"), plain)).toBe(
      'data: {"error":{"message":"Gone.","type":"server_error","param":null,"code":"cut"}}\n\n',
    );
    expect(wireErrorEvent(errorFamily("messages"), plain)).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Gone."},"request_id":null}\n\n',
    );
    expect(wireErrorEvent(errorFamily("responses"), plain)).toBe(
      'event: error\ndata: {"type":"error","code":"cut","message":"Gone.","param":null,"sequence_number":0}\n\n',
    );
  });
});

describe("an engine's error", () => {
  test.each([
    [
      "llama-server",
      400,
      '{"error":{"code":400,"message":"request (9000 tokens) exceeds the available context size (4096 tokens)","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":4096}}',
      {
        type: "invalid_request_error",
        code: "exceed_context_size_error",
        message: "request (9000 tokens) exceeds the available context size (4096 tokens)",
        detail: { n_prompt_tokens: 9000, n_ctx: 4096 },
      },
    ],
    [
      "llama-server while it loads",
      503,
      '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}',
      { type: "overloaded_error", code: "unavailable_error", message: "Loading model" },
    ],
    [
      "vLLM, older",
      404,
      '{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}',
      { type: "not_found_error", code: "NotFoundError", message: "The model `x` does not exist." },
    ],
    [
      "OpenAI",
      400,
      '{"error":{"message":"bad","type":"invalid_request_error","param":"messages","code":"wrong"}}',
      { type: "invalid_request_error", code: "wrong", message: "bad", param: "messages" },
    ],
    [
      "Anthropic",
      529,
      '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}',
      { type: "overloaded_error", code: "overloaded_error", message: "Overloaded" },
    ],
    [
      "FastAPI",
      422,
      '{"detail":[{"loc":["body","messages",0,"role"],"msg":"Field required","type":"missing"}]}',
      {
        type: "invalid_request_error",
        code: "engine_error",
        message: "body.messages.0.role: Field required",
      },
    ],
    [
      "Ollama",
      500,
      '{"error":"model runner stopped"}',
      { type: "server_error", code: "engine_error", message: "model runner stopped" },
    ],
    [
      "plain text",
      502,
      " Bad gateway\n",
      { type: "server_error", code: "engine_error", message: "Bad gateway" },
    ],
    [
      "nothing",
      500,
      "",
      {
        type: "server_error",
        code: "engine_error",
        message: "The engine answered 500 without a word (chat).",
      },
    ],
  ] as const)("%s", (_name, status, body, expected) => {
    expect(readEngineError("chat", status, body)).toEqual({ status, ...expected });
    expect(readEngineError("chat", status, Buffer.from(body))).toEqual({ status, ...expected });
  });

  test("a page of HTML is cut", () => {
    expect(readEngineError("chat", 502, "x".repeat(100_000)).message).toHaveLength(4000);
  });
});
