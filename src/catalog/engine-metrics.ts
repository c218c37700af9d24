import type { Sourced } from "./fact.ts";

/** Names of an engine's Prometheus metrics; a key is absent where the engine exports nothing of the kind. */
export interface EngineMetrics extends Sourced {
  /** Name of a kind in `ENGINE_KINDS`. */
  readonly kind: string;
  /** Gauges: requests being answered and requests that wait. */
  readonly running?: string;
  readonly waiting?: string;
  /** Gauges of the KV cache in use, 0 to 1; several where versions name it differently. */
  readonly kvUsed?: readonly [string, ...string[]];
  /** Counter of requests thrown out of the cache to make room, or gauge of those that are out now. */
  readonly preempted?: { readonly name: string; readonly type: "counter" | "gauge" };
  /** Counter that moves whenever the engine computes something for a request. */
  readonly progress?: string;
  /** Counter of generated tokens. */
  readonly generated?: string;
  /** Counter of tokens of prompts. */
  readonly prompt?: string;
  /**
   * What moves with every step of the engine where counters of tokens only move at the end of a prompt or of a request:
   * counters, counts of histograms, or a gauge of tokens in the cache.
   */
  readonly steps?: readonly string[];
  /** Its counters of tokens move only when a request has ended; while one is being answered only `steps` tell. */
  readonly countsAtEnd?: true;
  /** Names of the same figures in older releases. */
  readonly former?: { readonly kvUsed?: string };
}

const SGLANG = {
  running: "sglang:num_running_reqs",
  waiting: "sglang:num_queue_reqs",
  kvUsed: ["sglang:token_usage"],
  preempted: { name: "sglang:num_retracted_reqs", type: "gauge" },
  progress: "sglang:generation_tokens_total",
  generated: "sglang:generation_tokens_total",
  prompt: "sglang:prompt_tokens_total",
  countsAtEnd: true,
  steps: [
    "sglang:realtime_tokens_total",
    "sglang:inter_token_latency_seconds_count",
    "sglang:num_used_tokens",
  ],
  source: "https://docs.sglang.ai/references/production_metrics.html",
  date: "2026-10-01",
} as const;

const ENGINE_METRICS: readonly EngineMetrics[] = [
  {
    kind: "llama.cpp",
    running: "llamacpp:requests_processing",
    waiting: "llamacpp:requests_deferred",
    progress: "llamacpp:n_decode_total",
    generated: "llamacpp:tokens_predicted_total",
    prompt: "llamacpp:prompt_tokens_total",
    former: { kvUsed: "llamacpp:kv_cache_usage_ratio" },
    source:
      "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md; kv_cache_usage_ratio is gone",
    date: "2026-09-23",
  },
  {
    kind: "vllm",
    running: "vllm:num_requests_running",
    waiting: "vllm:num_requests_waiting",
    kvUsed: ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
    preempted: { name: "vllm:num_preemptions_total", type: "counter" },
    progress: "vllm:generation_tokens_total",
    generated: "vllm:generation_tokens_total",
    prompt: "vllm:prompt_tokens_total",
    // A long prompt moves neither counter before its last part; every step is one sample of this histogram.
    steps: ["vllm:iteration_tokens_total_count"],
    source: "https://docs.vllm.ai/en/latest/usage/metrics.html; gpu_cache_usage_perc in older versions",
    date: "2026-09-22",
  },
  { kind: "sglang", ...SGLANG },
  { kind: "ktransformers", ...SGLANG },
  {
    kind: "triton-vllm",
    waiting: "nv_inference_pending_request_count",
    generated: "vllm:generation_tokens_total",
    prompt: "vllm:prompt_tokens_total",
    steps: ["vllm:iteration_tokens_total_count"],
    former: { kvUsed: "vllm:gpu_cache_usage_perc" },
    source:
      "https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/metrics.html; of its vLLM backend some releases export a gauge of the KV cache (src/utils/metrics.py)",
    date: "2026-10-01",
  },
  {
    kind: "tensorrt-llm",
    running: "trtllm_num_requests_running",
    waiting: "trtllm_num_requests_waiting",
    kvUsed: ["trtllm_kv_cache_utilization"],
    generated: "trtllm_generation_tokens_total",
    prompt: "trtllm_prompt_tokens_total",
    countsAtEnd: true,
    steps: ["trtllm_kv_cache_gen_alloc_blocks_total", "trtllm_kv_cache_iter_missed_blocks_total"],
    source:
      "https://github.com/NVIDIA/TensorRT-LLM/blob/main/tensorrt_llm/metrics/collector.py; releases before 1.2 export only counters of ended requests",
    date: "2026-10-01",
  },
];

export const findEngineMetrics = (kind: string): EngineMetrics | undefined =>
  ENGINE_METRICS.find((metrics) => metrics.kind === kind);
