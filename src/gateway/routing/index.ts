/**
 * Routing: which of a target's services may take a request, and in what order. Decisions are pure functions of the request,
 * the node's view and counters; `createRouter` keeps the counters. Nothing here opens a connection but `createTokenCounter`.
 */
export { createRouter } from "./create-router.ts";
export type { RouterOptions } from "./create-router.ts";
export { EJECTION } from "./ejection.ts";
export type { EjectionPolicy } from "./ejection.ts";
export { hedgeAfter } from "./hedge-after.ts";
export { mayUse } from "./may-use.ts";
export { ROUTED_MEMBERS } from "./routed-members.ts";
export { needsOf } from "./needs.ts";
export { roughBounds } from "./prompt-size.ts";
export type { Choice, RouteBound, Router, Skipped, TryOutcome } from "./router.ts";
export type { TokenBounds } from "./token-bounds.ts";
export { createTokenCounter } from "./token-counter.ts";
