import { isObject } from "./fields.ts";

export type Schema = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about the value, or that are read together with another one. */
export const SILENT = new Set(
  "$schema $id $anchor $comment $defs definitions title description default examples deprecated readOnly writeOnly contentMediaType contentEncoding additionalProperties required nullable strict discriminator".split(
    " ",
  ),
);
/** Keywords that a grammar can hold a model to. */
export const ENFORCED = new Set(
  "$ref const enum anyOf oneOf allOf type properties items prefixItems minItems maxItems minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum format".split(
    " ",
  ),
);
/** Formats of strings, as GBNF. */
export const FORMATS: ReadonlyMap<string, string> = new Map([
  ["date", '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])'],
  [
    "time",
    '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [+-] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])',
  ],
  ["uuid", '[0-9a-f]{8} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{12}'],
]);
/** The tightest whole-number bound of two keywords: `step` 1 for lower ends, -1 for upper ones. */
export function bound(
  schema: Schema,
  inclusive: string,
  exclusive: string,
  step: 1 | -1,
): number | undefined {
  const round = step === 1 ? Math.ceil : Math.floor;
  const [at, beyond] = [schema[inclusive], schema[exclusive]];
  const values = [
    ...(typeof at === "number" ? [round(at)] : []),
    ...(typeof beyond === "number" ? [round(beyond) === beyond ? beyond + step : round(beyond)] : []),
  ].map((value) => Math.max(-Number.MAX_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER)));
  if (values.length === 0) return undefined;
  return step === 1 ? Math.max(...values) : Math.min(...values);
}

/** The type that a schema without `type` must mean. */
export function impliedType(schema: Schema): string | undefined {
  if ("properties" in schema || "additionalProperties" in schema || "required" in schema) return "object";
  if ("items" in schema || "prefixItems" in schema) return "array";
  if ("minLength" in schema || "maxLength" in schema) return "string";
  return undefined;
}

/** The schema without some of its keywords. */
export function without(schema: Schema, keywords: readonly string[]): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keywords.includes(keyword)));
}

export const asObject = (value: unknown): Schema => (isObject(value) ? value : {});
export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
