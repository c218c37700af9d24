import type { Plan, PlannedService, Rejection } from "../../src/plan/plan.ts";

/** A plan in which nothing was decided: for what looks at the spec alone. */
export const EMPTY_PLAN: Plan = {
  gateway: { host: "127.0.0.1", port: 4664 },
  services: [],
  routes: [],
  rejected: [],
  diagnostics: [],
};

/** A service as placed, of which a test says only what it is about. */
export const placed = (name: string, rest: Partial<PlannedService> = {}): PlannedService => ({
  name,
  engine: { name: "llama.cpp", version: "" },
  model: { name, path: "", sizeBytes: 0 },
  devices: ["cpu"],
  contextTokens: 4096,
  parallel: 1,
  queueLimit: 0,
  threads: 1,
  memory: [],
  restart: { restarts: 0, window: 0, backoffMin: 0, backoffMax: 0 },
  loadTimeout: 0,
  extraArguments: [],
  ...rest,
});

/** A rejection of a service `a` with its engine. */
export const rejected = (rest: Pick<Rejection, "code"> & Partial<Rejection>): Rejection => ({
  service: "a",
  engine: "vllm",
  model: "m",
  devices: [],
  reason: "it needs 11.41 GiB and the card has 9.70 GiB",
  hint: "take W4A16",
  ...rest,
});
