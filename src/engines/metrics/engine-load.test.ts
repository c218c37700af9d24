import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findEngineDriver } from "../drivers/find-engine-driver.ts";
import type { EngineLoad } from "../engine.ts";
import { readPrometheusText } from "./prometheus-text.ts";

const load = (kind: string, body: string): EngineLoad | undefined => findEngineDriver(kind)?.load?.read(body);

describe("the text of Prometheus", () => {
  const read = (text: string): unknown => Object.fromEntries(readPrometheusText(text, new Set(["a:b", "c"])));

  test("is read with labels that hold braces, quotes and backslashes, times and exemplars", () => {
    expect(
      read(
        [
          "# HELP a:b Some.",
          'a:b{model="x}y",path="C:\\\\",said="\\"}"} 2 1395066363000',
          'a:b{model="z"} 3.5e+00 # {trace="1"} 1',
          "c 7",
          "c_total 100",
          "other 1",
        ].join("\r\n"),
      ),
    ).toEqual({ "a:b": { sum: 5.5, max: 3.5 }, c: { sum: 7, max: 7 } });
  });

  test("passes over what is no number, and over lines that are cut", () => {
    expect(read('c NaN\nc +Inf\na:b{model="x\na:b{model="x"}\na:b\nc{} 4')).toEqual({
      c: { sum: 4, max: 4 },
    });
  });

  test("counts ranks that share a queue once, and ranks that share none together", () => {
    const text = [0, 1, 2, 3].map(
      (rank) => `c{dp_rank="${rank >> 1}",tp_rank="${rank}"} ${rank < 2 ? 3 : 4}`,
    );
    expect(read(text.join("\n"))).toEqual({ c: { sum: 7, max: 4 } });
  });

  test("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 400 }),
        (text) => void readPrometheusText(`c{${text}`, new Set(["c"])),
      ),
    );
  });
});

test("llama-server 0.5.0, as it said it: the cache's use is not among it", () => {
  const url = new URL("../../../test/engines/metrics/llama-server-0.5.0.txt", import.meta.url);
  expect(load("llama.cpp", readFileSync(url, "utf8"))).toEqual({
    running: 2,
    waiting: 3,
    promptTokens: 21,
    generatedTokens: 1,
    progress: 23,
  });
});

test("llama-server of 2024, which told the use of its cache", () => {
  expect(load("llama.cpp", "llamacpp:kv_cache_usage_ratio 0.25\nllamacpp:n_decode_total 9")).toEqual({
    kvUsed: 0.25,
    progress: 9,
  });
});

test("vLLM, two engines of data parallel: requests add up, of the caches the fuller one counts", () => {
  expect(
    load(
      "vllm",
      `
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="brain"} 3.0
vllm:num_requests_running{engine="1",model_name="brain"} 2.0
vllm:num_requests_waiting{engine="0",model_name="brain"} 1.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="brain",reason="capacity"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="brain"} 0.75
vllm:kv_cache_usage_perc{engine="1",model_name="brain"} 0.5
vllm:num_preemptions_total{engine="0",model_name="brain"} 4.0
vllm:prompt_tokens_total{engine="0",model_name="brain"} 1.0e+06
vllm:generation_tokens_total{engine="0",model_name="brain"} 2000.0
vllm:iteration_tokens_total_sum{engine="0",model_name="brain"} 1.002e+06
vllm:iteration_tokens_total_bucket{engine="0",le="1.0",model_name="brain"} 5.0
vllm:iteration_tokens_total_count{engine="0",model_name="brain"} 50.0`,
    ),
  ).toEqual({
    running: 5,
    waiting: 1,
    kvUsed: 0.75,
    preempted: 4,
    promptTokens: 1_000_000,
    generatedTokens: 2000,
    progress: 1_002_050,
  });
});

test("vLLM before 0.9 names its cache otherwise", () => {
  expect(load("vllm", 'vllm:gpu_cache_usage_perc{model_name="m"} 0.125')).toEqual({ kvUsed: 0.125 });
});

test("SGLang, whose ranks all tell the same; its counters stand still in a long answer, its live ones do not", () => {
  const said = (decoded: number): string => `
sglang:num_running_reqs{model_name="glm",tp_rank="0"} 2.0
sglang:num_running_reqs{model_name="glm",tp_rank="1"} 2.0
sglang:num_queue_reqs{model_name="glm",tp_rank="0"} 7.0
sglang:token_usage{model_name="glm",tp_rank="0"} 0.28
sglang:num_retracted_reqs{model_name="glm",tp_rank="0"} 1.0
sglang:prompt_tokens_total{model_name="glm"} 900.0
sglang:generation_tokens_total{model_name="glm"} 100.0
sglang:realtime_tokens_total{mode="prefill_compute",model_name="glm",tp_rank="0"} 800.0
sglang:realtime_tokens_total{mode="decode",model_name="glm",tp_rank="0"} ${decoded}`;
  expect(load("sglang", said(300))).toEqual({
    running: 2,
    waiting: 7,
    kvUsed: 0.28,
    promptTokens: 900,
    generatedTokens: 100,
    progress: 2100,
  });
  expect(load("ktransformers", said(340))?.progress).toBe(2140);
  // Without them nothing tells that it works, so nothing is said: standing still would mean nothing.
  expect(load("sglang", "sglang:generation_tokens_total 100")).toEqual({ generatedTokens: 100 });
});

test("Triton tells what its backend exports, two ports further", () => {
  const driver = findEngineDriver("triton-vllm");
  expect(driver?.load?.request).toEqual({ method: "GET", path: "/metrics", portOffset: 2 });
  expect(
    load(
      "triton-vllm",
      `
nv_inference_pending_request_count{model="brain",version="1"} 3
vllm:prompt_tokens_total{model="brain",version="1"} 10
vllm:generation_tokens_total{model="brain",version="1"} 16
vllm:iteration_tokens_total_count{model="brain",version="1"} 9
vllm:gpu_cache_usage_perc{model="brain",version="1"} 0.5`,
    ),
  ).toEqual({ waiting: 3, promptTokens: 10, generatedTokens: 16, progress: 35, kvUsed: 0.5 });
});

test("a backend of Triton that passes on less tells of progress all the same", () => {
  expect(load("triton-vllm", "vllm:prompt_tokens_total 10\nvllm:generation_tokens_total 16")).toEqual({
    promptTokens: 10,
    generatedTokens: 16,
    progress: 26,
  });
});

test("TensorRT-LLM", () => {
  expect(
    load(
      "tensorrt-llm",
      `
trtllm_num_requests_running{engine_type="pytorch",model_name="m"} 4.0
trtllm_num_requests_waiting{engine_type="pytorch",model_name="m"} 1.0
trtllm_kv_cache_utilization{engine_type="pytorch",model_name="m"} 0.4
trtllm_generation_tokens_total{engine_type="pytorch",model_name="m"} 100.0
trtllm_kv_cache_gen_alloc_blocks_total{engine_type="pytorch",model_name="m"} 12.0`,
    ),
  ).toEqual({ running: 4, waiting: 1, kvUsed: 0.4, generatedTokens: 100, progress: 112 });
});

test("ComfyUI's queue", () => {
  const item = [0, "id", {}, {}, []];
  expect(load("comfyui", JSON.stringify({ queue_running: [item], queue_pending: [item, item] }))).toEqual({
    running: 1,
    waiting: 2,
  });
});

test("the embedded engine", () => {
  const slots = {
    parallel: 2,
    context_tokens: 4096,
    context_tokens_used: 1024,
    running: 1,
    waiting: 0,
    prompt_tokens_total: 50,
    generated_tokens_total: 7,
  };
  expect(load("embedded", JSON.stringify(slots))).toEqual({
    running: 1,
    waiting: 0,
    kvUsed: 0.25,
    promptTokens: 50,
    generatedTokens: 7,
    progress: 57,
  });
});

test("nothing is read from what is none of it", () => {
  for (const kind of ["llama.cpp", "vllm", "sglang", "triton-vllm", "tensorrt-llm", "comfyui", "embedded"]) {
    for (const body of ["", "<html>", "{}", "[]", "null", '{"queue_running":3}']) {
      expect(load(kind, body)).toEqual({});
    }
  }
});
