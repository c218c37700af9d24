import type { Address } from "../../src/core/index.ts";
import type { RouteRules } from "../../src/plan/plan.ts";
import type { RouteView } from "../../src/supervisor/backends.ts";

/** Secrets of the keys: the first may everything, the others are limited (fuzz-gateway-child.ts). */
export const KEYS = [
  "sk-fuzz-free-5d1c",
  "sk-fuzz-one-83aa",
  "sk-fuzz-few-90be",
  "sk-fuzz-narrow-77f0",
] as const;

/** What remote engines are sent to know Omni, and nobody else may ever see. */
export const REMOTE_SECRET = "sk-remote-4f2b9d17c6";

/** A service, the kind of its engine, and whether it is called as a server elsewhere, with a secret. */
export const FUZZED_SERVICES = [
  { name: "openai", kind: "openai", remote: true },
  { name: "openai-2", kind: "openai", remote: true },
  { name: "claude", kind: "anthropic", remote: true },
  { name: "claude-2", kind: "anthropic", remote: true },
  { name: "llama", kind: "llama.cpp", remote: false },
  { name: "llama-2", kind: "llama.cpp", remote: false },
  { name: "vllm", kind: "vllm", remote: false },
  { name: "vllm-2", kind: "vllm", remote: false },
  { name: "triton", kind: "triton-vllm", remote: false },
] as const;

/** Where an engine that listens on `port` is reached. */
export const addressOf = (remote: boolean, port: number): Address =>
  remote
    ? {
        kind: "url",
        origin: `http://127.0.0.1:${port}`,
        base: "/v1",
        headers: { authorization: `Bearer ${REMOTE_SECRET}`, "x-api-key": REMOTE_SECRET },
      }
    : { kind: "tcp", host: "127.0.0.1", port };

/** Milliseconds of silence after which an engine is given up. */
const IDLE = 300;

const route = (name: string, services: readonly string[], rules: Partial<RouteRules> = {}): RouteView => ({
  name,
  services,
  rules: {
    route: name,
    strategy: "ordered",
    sticky: "none",
    retries: 2,
    continue: true,
    timeouts: { firstByte: IDLE, idle: IDLE, total: 5_000 },
    candidates: services.map((service) => ({ service, weight: 1 })),
    ...rules,
  },
});

/** Routes with fallbacks of the same engine, of other engines and of other dialects. */
export const ROUTES: readonly RouteView[] = [
  route("any", ["openai", "claude", "llama", "vllm", "openai-2", "claude-2", "llama-2", "vllm-2"], {
    strategy: "weighted",
    sticky: "session",
  }),
  route("mixed", ["claude", "vllm", "openai", "llama", "triton"], {
    strategy: "least-loaded",
    sticky: "prefix",
  }),
  route("chat", ["llama", "vllm", "llama-2", "vllm-2"], { hedge: { after: 20, below: 4_000 } }),
  route("text", ["triton", "vllm-2", "llama-2"]),
  route("single", ["llama-2"], { retries: 0, continue: false }),
  { name: "plain", services: ["vllm", "claude"] },
];

export const LIMITS = {
  bodyBytes: 300_000,
  headerTime: 3_000,
  bodyTime: 3_000,
  // Longer than what is looked for every second and a half: a client that sends no whole head is told so.
  idleTime: 8_000,
  keepAliveTime: 4_000,
  totalTime: 5_000,
  queueLimit: 64,
  queueTime: 1_500,
  loadingWait: 500,
  attempts: 3,
  holdBytes: 64_000,
  eventBytes: 64_000,
} as const;
