/**
 * Keys: who may ask, how much, and what was used: keys of spec and store, limits a minute and budgets, the books.
 * Never here: HTTP, and what a route or tool is.
 */
export type { Caller } from "./caller.ts";
export type { KnownKeys } from "./key-board.ts";
export type { Admitted, KeyGate, KeyRefusal, UsageBook } from "./key-gate.ts";
export { checkedKeyName, isTargetName } from "./key-name.ts";
export { digestOf, newSecret, prefixOf } from "./key-secret.ts";
export type { SpecKey } from "./known-key.ts";
export { newKey, newRotation } from "./new-key.ts";
export type { KeysForWorkers, NodeKeys, NodeKeysOptions } from "./node-keys.ts";
export { openKeys } from "./open-keys.ts";
export type { KeyPlace } from "./open-keys.ts";
export { openWorkerKeys } from "./open-worker-keys.ts";
export type { WorkerKeys } from "./open-worker-keys.ts";
export { recentUsage } from "./recent-usage.ts";
export { shownOfSpec, shownStored } from "./shown-key.ts";
export type { KeyOfSpec, ShownKey } from "./shown-key.ts";
