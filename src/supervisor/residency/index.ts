/**
 * Residency: which of the services that share cards is loaded. Decisions are a pure machine over demand, leases and
 * what loading takes; the keeper tells whoever loads. Never here: how a service is started, stopped or put to sleep.
 */
export { createResidencyKeeper } from "./residency-keeper.ts";
export type { ResidencyKeeper, SwapPolicies } from "./residency-keeper.ts";
