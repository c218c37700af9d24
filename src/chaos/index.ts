/**
 * Chaos: faults done to a node on purpose while clients are at work, and what came of each: how long until it was noticed,
 * routed around and mended, and what clients saw. It reaches the node as anybody does, over HTTP, and engines by signals
 * and orders. Never here: anything that mends.
 */
export { startClients } from "./clients.ts";
export { nodeApi } from "./node-api.ts";
export type { NodeApi } from "./node-api.ts";
export { startOwnNode } from "./own-node.ts";
export type { StartedNode } from "./own-node.ts";
export { CHAOS_TIMES, runChaos } from "./run-chaos.ts";
export type { ChaosInput } from "./run-chaos.ts";
export type { ScenarioResult } from "./run-scenario.ts";
export type { Scenario } from "./scenario.ts";
export { SCENARIOS } from "./scenarios.ts";
