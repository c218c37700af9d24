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
  /** What was typed may be a secret by mistake, so that no diagnostic repeats it. */
  readonly private?: boolean;
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

/** A value that is well formed and still not possible here. */
interface Impossible {
  readonly expected: string;
  readonly hint: string;
}

/**
 * A string with a syntax of its own: `parse` returns `undefined` for anything that is not one,
 * and `refuse` says what is wrong with a value that is one.
 */
export function parsedText<T>(
  facts: ScalarFacts,
  parse: (text: string) => T | undefined,
  refuse: (value: T) => Impossible | undefined = () => undefined,
) {
  return withFacts(z.string(), facts).transform((text, context): T => {
    // Patterns that are harmless on a line can take forever on a megabyte.
    const short = text.length <= MAX_LENGTH;
    const value = short ? parse(text) : undefined;
    const impossible = value === undefined ? undefined : refuse(value);
    if (value !== undefined && impossible === undefined) return value;
    const code = impossible === undefined && facts.unit === true ? "spec.bad-unit" : "spec.bad-value";
    const hint = impossible?.hint ?? (short ? facts.correct?.(text) : undefined) ?? facts.example;
    const message = `expected ${impossible?.expected ?? facts.expected}`;
    context.issues.push({ code: "custom", input: text, message, params: { code, hint } });
    return z.NEVER;
  });
}

/** A string that must match a pattern and is kept as typed. */
export const patternText = (facts: ScalarFacts, pattern: RegExp) =>
  withFacts(z.string().regex(pattern), facts);
