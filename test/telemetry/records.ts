import type { RequestRecord } from "../../src/telemetry/index.ts";
import type { MetricNames } from "../../src/telemetry/index.ts";

export const NAMES: MetricNames = {
  routes: ["assistant", "coder"],
  services: [
    { name: "oracle", model: "qwen3-32b", kind: "vllm" },
    { name: "worker", model: "gemma-3-4b", kind: "llama.cpp" },
  ],
  keys: ["alice", "bob"],
};

/** A request as it ends most often, with what a test changes. */
export const record = (changes: Partial<RequestRecord> = {}): RequestRecord => ({
  id: "req-1",
  started: Date.UTC(2026, 10, 22, 2, 0, 0, 125),
  method: "POST",
  path: "/v1/chat/completions",
  operation: "chat",
  status: 200,
  outcome: "answered",
  key: "alice",
  route: "assistant",
  service: "oracle",
  engine: "vllm",
  model: "qwen3-32b",
  stream: true,
  attempts: 1,
  continued: 0,
  duration: 2500,
  queued: 12,
  firstToken: 300,
  promptTokens: 1000,
  completionTokens: 45,
  cachedTokens: 800,
  bytesIn: 4096,
  bytesOut: 9000,
  ...changes,
});
