import type { Engine } from "../engine.ts";
import type { Metric } from "../prometheus.ts";

const counter = (name: string, help: string, value: number): Metric => ({
  name: `llamacpp:${name}`,
  help,
  type: "counter",
  value,
});
const gauge = (name: string, help: string, value: number): Metric => ({
  ...counter(name, help, value),
  type: "gauge",
});
const rate = (tokens: number, seconds: number): number => (seconds > 0 ? tokens / seconds : 0);

/** The page of llama-server 0.5.0, in its order. */
export function llamaCppMetrics({ work }: Engine): readonly Metric[] {
  const { counters } = work;
  return [
    counter(
      "prompt_tokens_total",
      "Number of prompt tokens processed, excluding cached tokens",
      counters.promptTokens,
    ),
    counter("prompt_tokens_cached_total", "Number of prompt tokens reused from the cache", 0),
    counter("prompt_seconds_total", "Total time spent processing prompts", counters.promptTime),
    counter("tokens_predicted_total", "Number of generation tokens processed", counters.generatedTokens),
    counter("tokens_predicted_seconds_total", "Total time spent generating tokens", counters.generationTime),
    counter(
      "n_decode_total",
      "Total number of llama_decode() calls, excluding speculative decoding and multimodal decoding",
      counters.steps,
    ),
    counter("n_tokens_max", "Largest observed sequence length (prompt + generation)", counters.longest),
    gauge(
      "prompt_tokens_seconds",
      "Average prompt throughput in tokens/s",
      rate(counters.promptTokens, counters.promptTime),
    ),
    gauge(
      "predicted_tokens_seconds",
      "Average generation throughput in tokens/s",
      rate(counters.generatedTokens, counters.generationTime),
    ),
    gauge("requests_processing", "Number of requests processing", work.running),
    gauge("requests_deferred", "Number of requests deferred", work.waiting),
    gauge("n_busy_slots_per_decode", "Average number of busy slots per llama_decode() call", work.running),
  ];
}
