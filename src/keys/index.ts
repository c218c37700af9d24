/**
 * Keys: who may ask, how much, and what was used: keys of spec and store, limits a minute and budgets, the books.
 * Never here: HTTP, and what a route or tool is.
 */
export type { Caller, KeyLimits } from "./caller.ts";
export { createKeyGate } from "./create-key-gate.ts";
export type { Admitted, KeyGate, KeyRefusal, UsageBook, UsageEntry } from "./key-gate.ts";
export { digestOf, newSecret, prefixOf } from "./key-secret.ts";
export type { SpecKey } from "./known-key.ts";
export type { NodeKeys, NodeKeysOptions } from "./node-keys.ts";
export { openLocalKeys } from "./open-local-keys.ts";
