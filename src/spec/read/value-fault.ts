import { z } from "zod";
import type { Code } from "../../core/index.ts";
import { nearest } from "../../core/index.ts";
import type { ScalarFacts } from "../scalars/facts.ts";
import { secretForm, secretHint } from "../secret-forms.ts";
import { allowedValues, expectedKinds, factsOf, knownKeys } from "./schema-walk.ts";
import { describe, kindsOf, quoted } from "./wording.ts";
import type { Plain } from "./yaml-tree.ts";

interface ValueFault {
  readonly code: Code;
  readonly message: string;
  readonly hint: string;
}

/** What is known about the place of a value that its schema refuses. */
interface Place {
  readonly key: string;
  readonly value: Plain;
  /** The scalar as it was typed. */
  readonly typed: string | undefined;
  readonly schemas: readonly z.core.$ZodType[];
}

/** Says what is wrong with a value that is there: its kind, its unit, its form, or that it is a secret. */
export function valueFault(place: Place): ValueFault {
  const { value } = place;
  const facts = factsFor(place);
  if (facts?.secret === true && typeof value !== "object") {
    const message = `expected ${facts.expected}; a secret must not stand in the spec`;
    return { code: "spec.inline-secret", message, hint: facts.example };
  }
  const form = typeof value === "string" ? secretForm(value) : undefined;
  if (typeof value === "string" && form !== undefined) {
    const message = "a secret must not stand in the spec";
    return { code: "spec.inline-secret", message, hint: secretHint(form, value) };
  }
  if (facts?.unit === true && typeof value === "number") {
    const unit = /[A-Za-z%/]+$/.exec(facts.example)?.[0] ?? "";
    return {
      code: "spec.bad-unit",
      message: `${value} has no unit; expected ${facts.expected}`,
      hint: `${value}${unit}`,
    };
  }
  return kindFault(place, facts);
}

function kindFault(place: Place, facts: ScalarFacts | undefined): ValueFault {
  const { key, value, schemas } = place;
  const kinds = expectedKinds(schemas);
  const allowed = [...new Set(allowedValues(schemas))];
  const expected = facts?.expected ?? (allowed.length > 1 ? `one of ${allowed.join(", ")}` : kinds);
  if (value === null) {
    return {
      code: "spec.wrong-type",
      message: `nothing is typed here; expected ${expected}`,
      hint: facts?.example ?? `remove ${key}`,
    };
  }
  const fits = kindsOf(value).some((kind) => kinds.includes(kind));
  const near = typeof value === "string" ? nearest(value, allowed) : undefined;
  const meant = typeof value === "string" || typeof value === "number" ? facts?.correct?.(value) : undefined;
  const message = `expected ${expected}, not ${facts?.private === true ? "this" : describe(value)}`;
  return {
    code: fits ? "spec.bad-value" : "spec.wrong-type",
    message: near === undefined ? message : `${message}; the nearest is ${near}`,
    hint:
      near ??
      meant ??
      (facts?.private === true ? undefined : correction(place, kinds)) ??
      facts?.example ??
      allowed[0] ??
      kinds,
  };
}

/** Facts about lists help with lists only, and facts about scalars with scalars. */
function factsFor({ value, schemas }: Place): ScalarFacts | undefined {
  const isComposite = typeof value === "object" && value !== null;
  const ofLists = factsOf(schemas.filter((schema) => schema instanceof z.ZodArray));
  if (isComposite && ofLists !== undefined) return ofLists;
  return factsOf(schemas.filter((schema) => !(schema instanceof z.ZodArray)));
}

/** What to type instead of a value of the wrong kind. */
function correction({ value, typed, schemas }: Place, kinds: string): string | undefined {
  if (typeof value === "number" && kinds.includes("a text") && !kinds.includes("number"))
    return `"${typed ?? value}"`;
  if (typeof value === "string" && /^\d+$/.test(value) && kinds.includes("number")) return value;
  if (typeof value === "string" && kinds.includes("true or false")) {
    if (/^(?:y|yes|on)$/i.test(value)) return "true";
    if (/^(?:n|no|off)$/i.test(value)) return "false";
  }
  if (kinds === "a map") return mapInstead(value, knownKeys(schemas));
  if (kinds === "a list" && typeof value === "object") return "- …   # a list: each entry after a hyphen";
  if (typeof value !== "object" && kinds.includes("a list")) return `[${quoted(typed ?? String(value))}]`;
  return undefined;
}

/** The map that was meant: a forgotten space after a colon, a forgotten colon, hyphens instead of names. */
function mapInstead(value: Plain, keys: readonly string[]): string {
  const pair = typeof value === "string" ? /^([\w.-]+)(?:\s*:\s*|\s+)(\S.*)$/.exec(value) : null;
  if (pair !== null) return `${pair[1] ?? ""}: ${pair[2] ?? ""}`;
  const first = keys.slice(0, 3).map((key) => `${key}: …`);
  return first.length === 0 ? "NAME: …" : first.join(", ");
}
