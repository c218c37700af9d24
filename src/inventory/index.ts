/**
 * Inventory: the machine as observed, read from /proc, sysfs and the cgroups at the moment of asking. It tells what is
 * there and what of it this process may use; it changes nothing, keeps nothing and never decides what runs where.
 */
export * from "./cpu.ts";
export * from "./memory.ts";
export * from "./machine.ts";
export { catalogGpu, hasMemoryOf } from "./catalog-gpu.ts";
export { mountOf, spaceAt } from "./mounts.ts";
export { observeMachine } from "./observe-machine.ts";
export { runBounded } from "./run-bounded.ts";
export type { ProgramResult } from "./run-bounded.ts";
