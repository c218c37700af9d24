/**
 * Supervisor: keeps what the plan wants alive. Decisions are a pure machine per service, effects are its keeper's,
 * and every transition is an event with its cause. Never here: how an engine is started (engines, runtimes), what
 * fits where (plan), or anything about requests (gateway).
 */
export type { ServiceView } from "./backends.ts";
export type { EngineLog } from "./service-keeper.ts";
export type { CardIdentity } from "./memory-wait.ts";
export { createSupervisor, type Supervisor, type SupervisorOptions } from "./supervisor.ts";
export { TIMING, type Timing } from "./timing.ts";
