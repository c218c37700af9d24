import type { Engine } from "../engine.ts";
import type { Metric } from "../prometheus.ts";

/** vLLM's page, of what is read of it (docs.vllm.ai, usage/metrics). `cacheTokens` are those that the cache holds. */
export function vllmMetrics(
  engine: Engine,
  cacheTokens: number,
  labels: Readonly<Record<string, string>> = { engine: "0", model_name: engine.name },
): readonly Metric[] {
  const { counters, running, waiting, cachedTokens } = engine.work;
  const metric = (name: string, help: string, type: Metric["type"], value: number): Metric => ({
    name: `vllm:${name}`,
    help,
    type,
    value,
    labels,
  });
  return [
    metric("num_requests_running", "Number of requests in model execution batches.", "gauge", running),
    metric("num_requests_waiting", "Number of requests waiting to be processed.", "gauge", waiting),
    metric(
      "kv_cache_usage_perc",
      "KV-cache usage. 1 means 100 percent usage.",
      "gauge",
      Math.min(1, cachedTokens / Math.max(1, cacheTokens)),
    ),
    metric("num_preemptions_total", "Cumulative number of preemption from the engine.", "counter", 0),
    metric(
      "iteration_tokens_total_count",
      "Histogram of number of tokens per engine_step.",
      "counter",
      counters.steps,
    ),
    metric(
      "prefix_cache_queries_total",
      "Prefix cache queries, in terms of number of queried tokens.",
      "counter",
      counters.promptTokens,
    ),
    metric(
      "prefix_cache_hits_total",
      "Prefix cache hits, in terms of number of cached tokens.",
      "counter",
      0,
    ),
    metric("prompt_tokens_total", "Number of prefill tokens processed.", "counter", counters.promptTokens),
    metric(
      "generation_tokens_total",
      "Number of generation tokens processed.",
      "counter",
      counters.generatedTokens,
    ),
    {
      ...metric(
        "request_success_total",
        "Count of successfully processed requests.",
        "counter",
        counters.finished,
      ),
      labels: { ...labels, finished_reason: "stop" },
    },
  ];
}
