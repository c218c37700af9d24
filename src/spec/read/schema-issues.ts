import type { z } from "zod";
import type { Code } from "../../core/index.ts";
import { CODES, nearest } from "../../core/index.ts";
import type { SpecPath } from "../../core/spec-path.ts";
import type { Plain } from "./yaml-tree.ts";
import type { SpecSource } from "./source.ts";
import { valueAt } from "./source.ts";
import { allowedValues, factsOf, isPossibleName, knownKeys, nameFacts, schemasAt } from "./schema-walk.ts";
import { secretForm } from "../secret-forms.ts";
import { valueFault } from "./value-fault.ts";
import { describe, shown } from "./wording.ts";
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
        return [this.#value(path)];
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
          ? `unknown key ${shown(key)}; known here: ${known.join(", ")}`
          : `unknown key ${shown(key)}; the nearest known one is ${near}`,
      hint: near === undefined ? `remove ${shown(key)}` : `${near}: …`,
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
      return [this.#value(path)];
    const meant = issue.errors
      .filter((errors) => !errors.some((e) => e.path.length === 0 && isOtherKind(e, composite)))
      .toSorted((a, b) => a.length - b.length)[0];
    return meant === undefined ? [this.#value(path)] : this.faults(meant, path);
  }

  #badName(path: SpecPath): SchemaFault {
    const maps = schemasAt(this.#schema, path.slice(0, -1));
    const facts = nameFacts(maps);
    const typed = String(path.at(-1));
    const candidate = typed
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 63);
    return {
      code: "spec.bad-name",
      path,
      at: "key",
      message: `${JSON.stringify(shown(typed))} is not ${facts?.expected ?? "a name that is possible here"}`,
      hint: isPossibleName(maps, candidate) ? candidate : (facts?.example ?? "name"),
      prune: path,
    };
  }

  #custom(issue: Extract<Issue, { code: "custom" }>, path: SpecPath): SchemaFault {
    const code: unknown = issue.params?.["code"];
    const hint: unknown = issue.params?.["hint"];
    const value = valueAt(this.#root, path);
    // A text with a syntax of its own: a secret in its place is that first of all.
    if (typeof value === "string" && secretForm(value) !== undefined) return this.#value(path);
    const isValue = (typeof value !== "object" || value === null) && code !== "spec.conflict";
    return {
      code: isCode(code) ? code : "spec.bad-value",
      path,
      at: isValue ? "value" : "key",
      message: issue.message.startsWith("expected ")
        ? `${issue.message}, not ${describe(value)}`
        : issue.message,
      hint: typeof hint === "string" ? hint : CODES["spec.bad-value"].remedy,
      prune: path,
    };
  }

  /** A value that is missing, of the wrong kind, or out of what is allowed. */
  #value(path: SpecPath): SchemaFault {
    const value = valueAt(this.#root, path);
    const schemas = schemasAt(this.#schema, path);
    if (value === undefined)
      return this.#missing(path, factsOf(schemas)?.example ?? allowedValues(schemas)[0]);
    const base = { path, at: "value" as const, prune: path };
    if (path.length === 1 && path[0] === "omni") {
      const message = `this Omni speaks version 1 of the language, not ${describe(value)}`;
      return { ...base, code: "spec.version", message, hint: "omni: 1" };
    }
    const key = String(path.at(-1));
    return { ...base, ...valueFault({ key, value, typed: this.#source.typed(path), schemas }) };
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
}

const isCode = (code: unknown): code is Code => typeof code === "string" && Object.hasOwn(CODES, code);

const segment = (part: PropertyKey): string | number => (typeof part === "number" ? part : String(part));

/** True when an option of a union wants another kind of value altogether, so that its faults say nothing. */
const isOtherKind = (issue: Issue, composite: boolean): boolean =>
  issue.code === "invalid_type" ||
  (composite && (issue.code === "invalid_value" || issue.code === "invalid_union"));

const hasCustomCode = (errors: readonly Issue[]): boolean => errors.some((e) => e.code === "custom");
