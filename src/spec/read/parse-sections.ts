import type { Diagnostic } from "../../core/index.ts";
import type { ParsedSpec } from "../schema.ts";
import { specSchema } from "../schema.ts";
import type { SpecPath } from "../../core/spec-path.ts";
import { isWithin, pathKey } from "../../core/spec-path.ts";
import type { SchemaFault } from "./schema-issues.ts";
import { SchemaIssues } from "./schema-issues.ts";
import type { SpecSource } from "./source.ts";
import type { Plain, PlainMap } from "./yaml-tree.ts";
import { emptyMap } from "./yaml-tree.ts";

/** The language is a few levels deep and each round removes at least one fault; more rounds than this mean a defect of ours. */
const MAX_ROUNDS = 64;

interface ParsedSections {
  /** What is left when every faulty part is taken away; absent when nothing is. */
  readonly parsed?: ParsedSpec;
  /** Parts that were taken away: nothing may be concluded from their absence. */
  readonly pruned: readonly SpecPath[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Checks plain data against the schema. Faulty parts are reported, taken away, and the rest is checked again,
 * so that one wrong value hides neither the other faults nor the cross-checks of what is right.
 */
export function parseSections(root: PlainMap, source: SpecSource): ParsedSections {
  const rest = copyMap(root);
  const pruned = source.tree.unreadable.map(listAncestor);
  for (const path of pruned) remove(rest, path);
  const found = new Map<string, Diagnostic>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const result = specSchema.safeParse(rest);
    if (result.success) return { parsed: result.data, pruned, diagnostics: [...found.values()] };
    const faults = new SchemaIssues(specSchema, rest, source).faults(result.error.issues);
    for (const fault of faults) {
      // What is missing only because its faulty value was taken away was reported already.
      if (pruned.some((path) => isWithin(path, fault.path))) continue;
      const { code, message, hint } = fault;
      const diagnostic = source.atPath(
        fault.path,
        { code, severity: "error", message, hint },
        { at: fault.at },
      );
      found.set(`${code} ${pathKey(fault.path)}`, diagnostic);
    }
    if (!takeAway(rest, faults, pruned)) break;
  }
  return { pruned, diagnostics: [...found.values()] };
}

/** Removes the faulty parts; false when one of them is the whole spec. */
function takeAway(root: PlainMap, faults: readonly SchemaFault[], pruned: SpecPath[]): boolean {
  for (const { prune: path } of faults) {
    if (path.length === 0) {
      // Without its version a spec is still worth checking; without anything else wrong at the top there is nothing to remove.
      if (root["omni"] !== undefined) return false;
      root["omni"] = 1;
      continue;
    }
    const part = listAncestor(path);
    remove(root, part);
    pruned.push(part);
  }
  return true;
}

/** A list is taken away whole: without one entry, the positions of the others would be wrong. */
function listAncestor(path: SpecPath): SpecPath {
  const first = path.findIndex((segment) => typeof segment === "number");
  return first === -1 ? path : path.slice(0, first);
}

function remove(root: Plain, path: SpecPath): void {
  let parent: Plain | undefined = root;
  for (const segment of path.slice(0, -1)) {
    if (typeof parent !== "object" || parent === null || Array.isArray(parent)) return;
    parent = parent[String(segment)];
  }
  if (typeof parent === "object" && parent !== null && !Array.isArray(parent))
    Reflect.deleteProperty(parent, String(path.at(-1)));
}

function copyMap(map: PlainMap): PlainMap {
  const copy = emptyMap();
  for (const [key, child] of Object.entries(map)) copy[key] = copyValue(child);
  return copy;
}

function copyValue(value: Plain): Plain {
  if (Array.isArray(value)) return value.map(copyValue);
  return typeof value === "object" && value !== null ? copyMap(value) : value;
}
