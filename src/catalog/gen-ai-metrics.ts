import type { OmniMetric } from "./omni-metrics.ts";

/** Seconds; boundaries that the conventions ask for. */
const DURATION = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
] as const;
const TOKENS = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
] as const;
const FIRST_TOKEN = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;
const OUTPUT_TOKEN = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5] as const;

const WHO = ["gen_ai_operation_name", "gen_ai_request_model", "gen_ai_provider_name"] as const;

/**
 * Metrics that carry the names of OpenTelemetry's conventions for generative AI, as Prometheus spells them: points become
 * underscores and the unit stands at the end. Their status is Development, so the names may still change
 * (open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-metrics.md, read November 2026).
 */
export const GEN_AI_METRICS = {
  duration: {
    name: "gen_ai_client_operation_duration_seconds",
    type: "histogram",
    help: "Seconds that an operation took; error_type is empty where it went well.",
    labels: [...WHO, "error_type"],
    exportedBy: "gateway",
    buckets: DURATION,
  },
  tokens: {
    name: "gen_ai_client_token_usage",
    type: "histogram",
    help: "Tokens of an operation, by type: input or output.",
    labels: [...WHO, "gen_ai_token_type"],
    exportedBy: "gateway",
    buckets: TOKENS,
  },
  firstToken: {
    name: "gen_ai_server_time_to_first_token_seconds",
    type: "histogram",
    help: "Seconds to the first token of an operation that went well.",
    labels: WHO,
    exportedBy: "gateway",
    buckets: FIRST_TOKEN,
  },
  outputToken: {
    name: "gen_ai_server_time_per_output_token_seconds",
    type: "histogram",
    help: "Seconds a token after the first one, of an operation that went well.",
    labels: WHO,
    exportedBy: "gateway",
    buckets: OUTPUT_TOKEN,
  },
} as const satisfies Readonly<Record<string, OmniMetric>>;
