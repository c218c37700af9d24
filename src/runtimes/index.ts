/**
 * Runtimes: where engines run. Each starts an engine from a `LaunchSpec`, keeps its last words, and makes sure that
 * nothing it started outlives it. Never here: when to start or restart (supervisor) and what to start (engines).
 */
export { createProcessRuntime } from "./process.ts";
export type { Runtime, Unit } from "./runtime.ts";
