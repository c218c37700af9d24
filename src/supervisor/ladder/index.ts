/**
 * Ladder: how far a service has stepped down when memory runs short or a card is too hot, and when it steps back up.
 * Decisions are a pure machine per service and a pure order among the services of a device; the keeper performs them.
 * Never here: restarting an engine, routing a request, or which steps there are (plan).
 */
export { createLadderKeeper } from "./ladder-keeper.ts";
export type { LadderKeeper, LadderKeeperOptions, LadderPolicies } from "./ladder-keeper.ts";
export { effectiveService } from "./effective-service.ts";
export type { Effective } from "./effective-service.ts";
