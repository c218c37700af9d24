/**
 * Runtimes: where engines run. Each starts an engine from a `LaunchSpec`, keeps its last words, adopts what an earlier
 * Omni started, and makes sure that nothing it started is forgotten. Never here: when to start or restart (supervisor)
 * and what to start (engines).
 */
export { createProcessRuntime } from "./process.ts";
export { createRemoteRuntime } from "./remote.ts";
export type { Runtime, StartProgress, Unit } from "./runtime.ts";
