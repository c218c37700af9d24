import type { z } from "zod";
import type { Code } from "../../core/index.ts";
import { CODES, nearest } from "../../core/index.ts";
import type { SpecPath } from "../spec-path.ts";
import type { Plain } from "./yaml-tree.ts";
import type { SpecSource } from "./source.ts";
import { valueAt } from "./source.ts";
import { allowedValues, expectedKinds, factsOf, knownKeys, nameFacts, schemasAt } from "./schema-walk.ts";
import { SYNONYMS } from "./synonyms.ts";

type Issue = z.core.$ZodIssue;

/** One fault that the schema found, in the spec's words, and what to take away so that the rest can be checked. */
export interface SchemaFault {
  readonly code: Code;
  readonly path: SpecPath;
  readonly at: "key" | "value";
  readonly message: string;
  readonly hint: string;
  readonly prune: SpecPath;
}

/** Translates zod's issues, whose words and order are not ours to promise, into faults of the spec. */
export class SchemaIssues {
  readonly #schema: z.core.$ZodType;
  readonly #root: Plain;
  readonly #source: SpecSource;

  constructor(schema: z.core.$ZodType, root: Plain, source: SpecSource) {
    this.#schema = schema;
    this.#root = root;
    this.#source = source;
  }

  faults(issues: readonly Issue[], base: SpecPath = []): SchemaFault[] {
    return issues.flatMap((issue) => this.#fault(issue, [...base, ...issue.path.map(segment)]));
  }

  #fault(issue: Issue, path: SpecPath): SchemaFault[] {
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => this.#unknownKey(path, key));
      case "invalid_union":
        return this.#union(issue, path);
      case "invalid_key":
        return [this.#badName(path)];
      case "custom":
        return [this.#custom(issue, path)];
      default:
        return [this.#scalar(path)];
    }
  }

  #unknownKey(path: SpecPath, key: string): SchemaFault {
    const known = knownKeys(schemasAt(this.#schema, path));
    const synonym = SYNONYMS[key];
    const near = synonym !== undefined && known.includes(synonym) ? synonym : nearest(key, known);
    const full = [...path, key];
    return {
      code: "spec.unknown-key",
      path: full,
      at: "key",
      message:
        near === undefined
          ? `unknown key ${key}; known here: ${known.join(", ")}`
          : `unknown key ${key}; the nearest known one is ${near}`,
      hint: near === undefined ? `remove ${key}` : `${near}: …`,
      prune: full,
    };
  }

  /** Of a union, the faults of the option that was meant: the one whose kind of value was typed. */
  #union(issue: Extract<Issue, { code: "invalid_union" }>, path: SpecPath): SchemaFault[] {
    const value = valueAt(this.#root, path);
    const composite = typeof value === "object" && value !== null;
    const schemas = schemasAt(this.#schema, path);
    if (
      value === undefined ||
      (!composite && factsOf(schemas) !== undefined && issue.errors.every((errors) => !hasCustomCode(errors)))
    )
      return [this.#scalar(path)];
    const meant = issue.errors
      .filter((errors) => !errors.some((e) => e.path.length === 0 && isOtherKind(e, composite)))
      .toSorted((a, b) => a.length - b.length)[0];
    return meant === undefined ? [this.#scalar(path)] : this.faults(meant, path);
  }

  #badName(path: SpecPath): SchemaFault {
    const facts = nameFacts(schemasAt(this.#schema, path.slice(0, -1)));
    return {
      code: "spec.bad-name",
      path,
      at: "key",
      message: `${JSON.stringify(path.at(-1))} is not ${facts?.expected ?? "a name that is possible here"}`,
      hint: suggestName(String(path.at(-1)), facts?.example ?? "name"),
      prune: path,
    };
  }

  #custom(issue: Extract<Issue, { code: "custom" }>, path: SpecPath): SchemaFault {
    const code: unknown = issue.params?.["code"];
    const hint: unknown = issue.params?.["hint"];
    const value = valueAt(this.#root, path);
    const scalar = typeof value !== "object" || value === null;
    return {
      code: isCode(code) ? code : "spec.bad-value",
      path,
      at: scalar || code === "spec.conflict" ? (code === "spec.conflict" ? "key" : "value") : "key",
      message: issue.message.startsWith("expected ")
        ? `${issue.message}, not ${describe(value)}`
        : issue.message,
      hint: typeof hint === "string" ? hint : CODES["spec.bad-value"].remedy,
      prune: path,
    };
  }

  /** A value that is missing, of the wrong kind, or out of what is allowed. */
  #scalar(path: SpecPath): SchemaFault {
    const value = valueAt(this.#root, path);
    const schemas = schemasAt(this.#schema, path);
    const facts = factsOf(schemas);
    const allowed = allowedValues(schemas);
    const base = { path, at: "value" as const, prune: path };
    if (value === undefined) return this.#missing(path, facts?.example ?? allowed[0]);
    if (facts?.secret === true && typeof value !== "object") {
      return {
        ...base,
        code: "spec.inline-secret",
        message: "a secret must not stand in the spec",
        hint: facts.example,
      };
    }
    const kinds = expectedKinds(schemas);
    const expected =
      facts?.expected ?? (allowed.length > 1 ? `one of ${[...new Set(allowed)].join(", ")}` : kinds);
    if (value === null) {
      return {
        ...base,
        code: "spec.wrong-type",
        message: `nothing is typed here; expected ${expected}`,
        hint: facts?.example ?? `remove ${String(path.at(-1))}`,
      };
    }
    if (facts?.unit === true && typeof value === "number") {
      const unit = /[A-Za-z%/]+$/.exec(facts.example)?.[0] ?? "";
      return {
        ...base,
        code: "spec.bad-unit",
        message: `${value} has no unit; expected ${expected}`,
        hint: `${value}${unit}`,
      };
    }
    const message = `expected ${expected}, not ${describe(value)}`;
    const near = typeof value === "string" ? nearest(value, allowed) : undefined;
    const meant =
      typeof value === "string" || typeof value === "number" ? facts?.correct?.(value) : undefined;
    const fits = kindOf(value).some((kind) => kinds.includes(kind));
    if (path.length === 1 && path[0] === "omni")
      return {
        ...base,
        code: "spec.version",
        message: `this Omni speaks version 1 of the language, not ${describe(value)}`,
        hint: "omni: 1",
      };
    return {
      ...base,
      code: fits ? "spec.bad-value" : "spec.wrong-type",
      message: near === undefined ? message : `${message}; the nearest is ${near}`,
      hint: near ?? meant ?? this.#correction(path, value, kinds, facts?.example ?? allowed[0]),
    };
  }

  #missing(path: SpecPath, example: string | undefined): SchemaFault {
    const parent = path.slice(0, -1);
    const key = String(path.at(-1));
    const where = parent.length === 0 ? "the spec" : String(parent.at(-1));
    return {
      code: "spec.missing-key",
      path,
      at: "key",
      message: `${where} needs the key ${key}`,
      hint: `${key}: ${example ?? "…"}`,
      prune: parent,
    };
  }

  /** What to type instead of a value of the wrong kind. */
  #correction(path: SpecPath, value: Plain, kinds: string, example: string | undefined): string {
    const typed = this.#source.typed(path);
    if (typeof value === "number" && kinds.includes("a text")) return `"${typed ?? value}"`;
    if (typeof value === "string" && /^\d+$/.test(value) && kinds.includes("number")) return value;
    if (typeof value === "string" && kinds.includes("true or false") && /^(?:y|yes|on)$/i.test(value))
      return "true";
    if (typeof value === "string" && kinds.includes("true or false") && /^(?:n|no|off)$/i.test(value))
      return "false";
    if (typeof value !== "object" && kinds.includes("a list")) return `[${quoted(typed ?? String(value))}]`;
    const keys = knownKeys(schemasAt(this.#schema, path));
    return example ?? (keys.length > 0 ? `a map with keys of: ${keys.slice(0, 8).join(", ")}` : kinds);
  }
}

const isCode = (code: unknown): code is Code => typeof code === "string" && Object.hasOwn(CODES, code);

const segment = (part: PropertyKey): string | number => (typeof part === "number" ? part : String(part));

/** True when an option of a union wants another kind of value altogether, so that its faults say nothing. */
const isOtherKind = (issue: Issue, composite: boolean): boolean =>
  issue.code === "invalid_type" ||
  (composite && (issue.code === "invalid_value" || issue.code === "invalid_union"));

const hasCustomCode = (errors: readonly Issue[]): boolean => errors.some((e) => e.code === "custom");

/** A value in words, short enough for a line. */
function describe(value: Plain | undefined): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "string")
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)}`;
  return typeof value === "number" ? `the number ${value}` : String(value);
}

function kindOf(value: Plain): readonly string[] {
  if (Array.isArray(value)) return ["a list"];
  if (typeof value === "number")
    return Number.isInteger(value) ? ["a number", "a whole number"] : ["a number"];
  if (typeof value === "boolean") return ["true or false"];
  return typeof value === "string" ? ["a text"] : ["a map"];
}

/** A text as it may stand in a YAML list. */
const quoted = (typed: string): string =>
  /^["'\w./-][^,[\]{}#:]*$/.test(typed) ? typed : JSON.stringify(typed);

/** The nearest possible name to one that is not. */
function suggestName(typed: string, example: string): string {
  const candidate = typed
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 63);
  return candidate === "" ? example : candidate;
}
