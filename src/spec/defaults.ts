import type { ParsedSpec } from "./schema.ts";

export type Spec = ParsedSpec;
export const applyDefaults = (parsed: ParsedSpec): Spec => parsed;
