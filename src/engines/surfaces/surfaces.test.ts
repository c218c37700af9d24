import { expect, test } from "vitest";
import { ENGINE_KINDS } from "../../catalog/index.ts";
import { surfaceOf } from "./surface-of.ts";
import {
  notForTriton,
  TritonCompletionStream,
  tritonCompletion,
  tritonGeneratePath,
  tritonGenerateRequest,
} from "./triton-generate.ts";

test("every kind of the catalog but ComfyUI serves text, and says how a begun answer is continued", () => {
  const silent = ENGINE_KINDS.map(({ name }) => name).filter((name) => surfaceOf(name).dialects.length === 0);
  expect(silent).toEqual(["comfyui"]);
  const continues = ENGINE_KINDS.map(({ name }) => name).filter(
    (name) => surfaceOf(name).continuesChat !== undefined,
  );
  expect(continues).toEqual(["embedded", "llama.cpp", "vllm", "sglang", "ktransformers", "anthropic"]);
  for (const { name } of ENGINE_KINDS) {
    const { continuesChat, prefill } = surfaceOf(name);
    expect(continuesChat === undefined, name).toBe(prefill === undefined);
  }
  expect(surfaceOf("of-tomorrow")).toEqual({ dialects: [], paths: {}, countsStreams: false });
});

test("the names of one endpoint lead to it", () => {
  for (const kind of ["vllm", "llama.cpp", "sglang"]) {
    for (const path of ["/v1/rerank", "/v2/rerank", "/rerank"])
      expect(surfaceOf(kind).paths[path]).toBe("/v1/rerank");
  }
  expect(surfaceOf("vllm").paths["/score"]).toBe("/v1/score");
  expect(surfaceOf("embedded").paths["/v1/rerank"]).toBeUndefined();
});

test("tokens are counted in each engine's own words", () => {
  const llama = surfaceOf("llama.cpp").tokenize;
  expect(JSON.parse(llama?.body('a "b"', "m") ?? "")).toEqual({ content: 'a "b"', add_special: false });
  expect(llama?.count('{"tokens":[1,2,3]}')).toBe(3);
  const vllm = surfaceOf("vllm").tokenize;
  expect(JSON.parse(vllm?.body("a", "m") ?? "")).toEqual({
    model: "m",
    prompt: "a",
    add_special_tokens: false,
  });
  expect(vllm?.count('{"count":2,"max_model_len":9,"tokens":[1,2]}')).toBe(2);
  for (const answer of ["", "[]", '{"error":"x"}', '{"count":-1,"tokens":7}']) {
    expect(llama?.count(answer)).toBeUndefined();
    expect(vllm?.count(answer)).toBeUndefined();
  }
});

const COMPLETION = {
  model: "m",
  prompt: "Say",
  max_tokens: 5,
  stop: ["x"],
  seed: null,
  user: "u",
  stream: true,
};

test("Triton: a completion becomes a text and its parameters", () => {
  expect(tritonGeneratePath("a b", true)).toBe("/v2/models/a%20b/generate_stream");
  expect(tritonGenerateRequest({ ...COMPLETION, prompt: ["Say"] })).toEqual({
    text_input: "Say",
    stream: true,
    exclude_input_in_output: true,
    return_finish_reason: true,
    return_num_input_tokens: true,
    return_num_output_tokens: true,
    sampling_parameters: '{"max_tokens":5,"stop":["x"]}',
  });
  expect(notForTriton({ ...COMPLETION, n: 1, echo: false, suffix: null })).toBeUndefined();
  expect(notForTriton({ ...COMPLETION, n: 2 })?.param).toBe("n");
  expect(notForTriton({ ...COMPLETION, prompt: [1, 2] })?.param).toBe("prompt");
});

test("Triton: a whole answer becomes a completion", () => {
  const answer = {
    model_name: "m",
    text_output: " hi",
    finish_reason: "length",
    num_input_tokens: 2,
    num_output_tokens: [5],
  };
  expect(tritonCompletion(answer, COMPLETION, { id: "cmpl-1", created: 7 })).toEqual({
    id: "cmpl-1",
    object: "text_completion",
    created: 7,
    model: "m",
    choices: [{ index: 0, text: " hi", logprobs: null, finish_reason: "length" }],
    usage: { prompt_tokens: 2, completion_tokens: 5, total_tokens: 7 },
  });
  expect(tritonCompletion({ error: "no" }, COMPLETION)).toBeUndefined();
});

test("Triton: a stream ends as whole only with a reason", () => {
  const part = (text: string, reason = "None") =>
    JSON.stringify({ text_output: text, finish_reason: reason, num_input_tokens: 2, num_output_tokens: 1 });
  const request = { ...COMPLETION, stream_options: { include_usage: true } };
  const whole = new TritonCompletionStream(request, { id: "cmpl-1", created: 7 });
  const wire =
    [part("a"), part(""), part("b", "stop")].map((data) => whole.event(data)).join("") +
    whole.end() +
    whole.end();
  const events = wire
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event): unknown => JSON.parse(event.slice(6)));
  expect(events).toMatchObject([
    { id: "cmpl-1", choices: [{ text: "a", finish_reason: null }], usage: null },
    { choices: [{ text: "b", finish_reason: "stop" }] },
    { choices: [], usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 } },
  ]);
  expect(wire.endsWith("data: [DONE]\n\n")).toBe(true);
  const cut = new TritonCompletionStream(COMPLETION);
  expect(cut.event(part("a"))).not.toContain("usage");
  expect(cut.end()).toBe("");
  const failed = new TritonCompletionStream(COMPLETION);
  expect(failed.event('{"error":"died"}')).toContain('"message":"died"');
  expect(failed.event(part("b")) + failed.end()).toBe("");
});

test("llama-server's faults that are the request's are told from its own", () => {
  const { requestFaults } = surfaceOf("llama.cpp");
  const answer =
    '{"error":{"code":500,"message":"image input is not supported - hint: ...","type":"server_error"}}';
  expect(requestFaults?.test(answer)).toBe(true);
  expect(requestFaults?.test('{"error":{"code":500,"message":"Compute error.","type":"server_error"}}')).toBe(
    false,
  );
});
