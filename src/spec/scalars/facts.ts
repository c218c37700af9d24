import { z } from "zod";

/** What a scalar of the spec must look like, said once beside its schema and quoted by every diagnostic about it. */
export interface ScalarFacts {
  /** Completes "expected …": `an amount of memory with its unit`. */
  readonly expected: string;
  /** What to type, as YAML: `96GiB`. */
  readonly example: string;
  /** A unit is part of the value, so a bare number is a `spec.bad-unit` rather than a wrong type. */
  readonly unit?: boolean;
  /** What a near miss most likely means: `95` for a share is `95%`. */
  readonly correct?: (typed: string | number) => string | undefined;
  /** A credential: a plain value here is a `spec.inline-secret`. */
  readonly secret?: boolean;
}

/** Facts by schema; zod's clones (`.describe`, `.meta`) inherit them from their parent. */
export const scalarFacts = z.registry<ScalarFacts>();

/** Attaches facts to a schema and returns it. */
export function withFacts<S extends z.ZodType>(schema: S, facts: ScalarFacts): S {
  scalarFacts.add(schema, facts);
  return schema;
}

/** No scalar with a syntax of its own is longer. */
const MAX_LENGTH = 2048;

/** A string with a syntax of its own: `parse` returns `undefined` for anything that is not one. */
export function parsedText<T>(facts: ScalarFacts, parse: (text: string) => T | undefined) {
  return withFacts(z.string(), facts).transform((text, context): T => {
    // Patterns that are harmless on a line can take forever on a megabyte.
    const value = text.length > MAX_LENGTH ? undefined : parse(text);
    if (value !== undefined) return value;
    context.issues.push({
      code: "custom",
      input: text,
      message: `expected ${facts.expected}`,
      params: { code: facts.unit === true ? "spec.bad-unit" : "spec.bad-value", hint: facts.example },
    });
    return z.NEVER;
  });
}

/** A string that must match a pattern and is kept as typed. */
export const patternText = (facts: ScalarFacts, pattern: RegExp) =>
  withFacts(z.string().regex(pattern), facts);
