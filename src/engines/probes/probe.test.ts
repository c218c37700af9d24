import { describe, expect, test } from "vitest";
import { findEngineDriver } from "../drivers/find-engine-driver.ts";

const probe = (kind: string): NonNullable<ReturnType<typeof findEngineDriver>>["probe"] =>
  findEngineDriver(kind)?.probe;

const chat = (message: object, usage?: object): string =>
  JSON.stringify({
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: "length" }],
    usage,
  });

describe("what is asked", () => {
  test.each([
    [undefined, "/v1/chat/completions", { max_tokens: 1, temperature: 0, stream: false }],
    ["embeddings", "/v1/embeddings", { input: "Hello" }],
    ["rerank", "/v1/rerank", { query: "Hello", documents: ["Hello"] }],
  ] as const)("for %s", (task, path, part) => {
    const request = probe("vllm")?.request({ servedName: "brain", ...(task === undefined ? {} : { task }) });
    expect(request).toMatchObject({ method: "POST", path });
    expect(JSON.parse(request?.body ?? "")).toMatchObject({ model: "brain", ...part });
  });

  test("of Triton, whose path holds the name", () => {
    const request = probe("triton-vllm")?.request({ servedName: "a/b c" });
    expect(request?.path).toBe("/v2/models/a%2Fb%20c/generate");
    expect(JSON.parse(request?.body ?? "")).toMatchObject({ parameters: { max_tokens: 4, stream: false } });
  });

  test.each(["openai", "anthropic", "comfyui"])("not of %s: it costs money, or is not small", (kind) => {
    expect(probe(kind)).toBeUndefined();
  });
});

describe("an answer", () => {
  test.each([
    ["a token", chat({ role: "assistant", content: "~" })],
    ["a space", chat({ content: " " })],
    ["a line break", chat({ content: "\n" })],
    ["a zero byte, as a tiny model of random weights says it", chat({ content: "\u0000" })],
    ["one exclamation mark", chat({ content: "!" })],
    ["half a character, shown as nothing and counted", chat({ content: "" }, { completion_tokens: 1 })],
    ["the mark of a thought, with a parser that hides it", chat({ content: null }, { completion_tokens: 1 })],
    ["a thought", chat({ content: null, reasoning_content: "Okay" })],
    ["a thought by its newer name", chat({ content: null, reasoning: "Okay" })],
    ["a call of a tool", chat({ content: null, tool_calls: [{ id: "1" }] })],
    ["a completion", JSON.stringify({ choices: [{ text: "x" }] })],
    ["a vector", JSON.stringify({ object: "list", data: [{ embedding: [0.1, 0, -0.2] }] })],
    ["a vector in base64", JSON.stringify({ data: [{ embedding: "AAAA" }] })],
    ["vectors of tokens", JSON.stringify({ data: [{ embedding: [[0.1], [0.2]] }] })],
    ["an order", JSON.stringify({ results: [{ index: 0, relevance_score: 1.28 }] })],
    ["an order as SGLang says it", JSON.stringify([{ score: 0.5, document: "Hello", index: 0 }])],
  ])("is one: %s", (_name, body) => {
    expect(probe("llama.cpp")?.fault(200, body)).toBeUndefined();
  });

  test.each([
    ["nothing", 200, "", "it is empty"],
    ["a page", 200, "<html>502 Bad Gateway</html>", "is no JSON: <html>"],
    ["JSON with NaN", 200, '{"data":[{"embedding":[NaN]}]}', "numbers that are none (NaN)"],
    ["vectors of null, as llama-server writes NaN", 200, '{"data":[{"embedding":[null,null]}]}', "(NaN)"],
    ["a vector of zeros", 200, '{"data":[{"embedding":[0,0,0]}]}', "nothing but zeros"],
    ["no vector", 200, '{"data":[{"embedding":[]}]}', "without a vector"],
    ["no choices", 200, '{"choices":[]}', "no choice"],
    ["no token", 200, chat({ content: "" }, { completion_tokens: 0 }), "holds no token"],
    ["no token and no count", 200, chat({ content: null }), "holds no token"],
    ["a row of exclamation marks", 200, chat({ content: "!!!!!!!!" }), 'answered "!!!!!!!!"'],
    ["an error with status 200", 200, '{"object":"error","message":"boom","code":500}', "the error: boom"],
    ["an error object", 200, '{"error":{"message":"boom"}}', "the error: boom"],
    ["a score that is none", 200, '{"results":[{"index":0,"relevance_score":null}]}', "score is no number"],
    ["no order", 200, '{"results":[]}', "no document in order"],
    ["something else", 200, '{"hello":1}', 'without choices, vectors or an order: {"hello":1}'],
    [
      "500",
      500,
      '{"error":{"message":"EngineCore encountered an issue"}}',
      "500: EngineCore encountered an issue",
    ],
    ["503 without a word", 503, "", "it answered 503"],
    [
      "a model of another name",
      404,
      '{"error":{"message":"The model `brain` does not exist."}}',
      "404: The model",
    ],
  ])("is none: %s", (_name, status, body, words) => {
    expect(probe("sglang")?.fault(status, body)).toContain(words);
  });

  test("429 says that the engine lives and is busy", () => {
    expect(probe("embedded")?.fault(429, "{}")).toBeUndefined();
  });

  test.each([
    [200, '{"model_name":"brain","text_output":""}', "no token"],
    [200, '{"model_name":"brain","text_output":"Hello"}', "no token"],
    [200, '{"model_name":"brain"}', "no text_output"],
    [400, '{"error":"Request for unknown model: \'brain\' is not found"}', "unknown model"],
    [200, "", "no JSON"],
  ])("of Triton is none: %i %s", (status, body, words) => {
    expect(probe("triton-vllm")?.fault(status, body)).toContain(words);
  });

  test("of Triton is one when it holds text", () => {
    const body = '{"model_name":"brain","model_version":"1","text_output":"Hello,"}';
    expect(probe("triton-vllm")?.fault(200, body)).toBeUndefined();
  });
});
