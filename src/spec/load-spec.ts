import { config } from "zod";
import type { Diagnostic } from "../core/index.ts";
import { hasErrors, sortDiagnostics } from "../core/index.ts";
import { applyDefaults } from "./defaults.ts";
import type { Spec } from "./spec.ts";
import { formatPath } from "../core/spec-path.ts";
import type { SpecPath } from "../core/spec-path.ts";
import type { ParsedSpec } from "./schema.ts";
import { decodeSpec } from "./read/decode.ts";
import { parseSections } from "./read/parse-sections.ts";
import { readYaml } from "./read/read-yaml.ts";
import type { SpecSource } from "./read/source.ts";
import type { PlainMap } from "./read/yaml-tree.ts";
import { emptyMap } from "./read/yaml-tree.ts";
import { checkRules } from "./rules/index.ts";

// One document is read by each part of the schema once or twice: compiling the parts takes longer than it saves (40 ms of 100).
config({ jitless: true });

export interface LoadedSpec {
  /** The spec with its defaults, frozen; absent when there is any error. */
  readonly spec?: Spec;
  /** Everything that was found, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** Where a path of the normalised spec stands in the file: at its value, or at the nearest thing above it that was typed. */
  readonly locate: (path: SpecPath) => SpecPlace;
  /** The document as its owner typed it, as plain data; absent with any error. */
  readonly typed?: Readonly<Record<string, unknown>>;
}

export type SpecPlace = Pick<Diagnostic, "path" | "file" | "line" | "column">;

/**
 * Reads a spec. Pure: `fileName` only names the file in diagnostics, and nothing that the spec refers to is opened.
 * All problems are reported together; warnings leave the spec usable. Throws nothing.
 */
export function loadSpec(input: string | Uint8Array, fileName: string): LoadedSpec {
  const { text, diagnostic } = decodeSpec(input, fileName);
  if (text === undefined)
    return { diagnostics: diagnostic === undefined ? [] : [diagnostic], locate: nowhere };
  const { source, root, diagnostics: ofText } = readYaml(text, fileName);
  if (root === undefined) return { diagnostics: sortDiagnostics(ofText), locate: nowhere };

  const named = withoutExtensions(root);
  const { parsed, pruned, diagnostics: ofSections } = parseSections(named, source);
  // In another version every key may mean something else: only the version is worth saying.
  const version = ofSections.filter((d) => d.code === "spec.version");
  if (version.length > 0) return { diagnostics: version, locate: nowhere };
  const ofRules = parsed === undefined ? [] : checkRules({ parsed, pruned, typed: named, source });
  const diagnostics = oncePerPlace(sortDiagnostics([...ofText, ...ofSections, ...ofRules]));
  if (parsed === undefined || hasErrors(diagnostics)) return { diagnostics, locate: nowhere };
  const spec = applyDefaults(parsed);
  return {
    spec,
    diagnostics,
    locate: (path) => placeOf(asTyped(path, parsed, spec.name), source),
    typed: named,
  };
}

const nowhere = (): SpecPlace => ({});

function placeOf(path: SpecPath, source: SpecSource): SpecPlace {
  const { line, column, file } = source.atPath(source.typedPath(path), {
    code: "cli.internal",
    severity: "note",
    message: "",
  });
  return {
    path: formatPath(path),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  };
}

/** A path of the normalised spec as the owner wrote it: the only machine stands under `metal`, the only guest under `guest`. */
function asTyped(path: SpecPath, parsed: ParsedSpec, name: string): SpecPath {
  const [section, key, ...rest] = path;
  if (key !== name) return path;
  if (section === "machines" && parsed.metal !== undefined && parsed.machines?.[name] === undefined)
    return ["metal", ...rest];
  if (section === "guests" && parsed.guest !== undefined && parsed.guests?.[name] === undefined)
    return ["guest", ...rest];
  return path;
}

/** A fault in a map that is merged into five others is one fault. */
function oncePerPlace(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter((d) => {
    const key = `${d.line}:${d.column} ${d.code} ${d.message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Top keys that start with `x-` belong to the owner: a place for anchors, notes and other programs. */
function withoutExtensions(root: PlainMap): PlainMap {
  const rest = emptyMap();
  for (const [key, value] of Object.entries(root)) if (!key.startsWith("x-")) rest[key] = value;
  return rest;
}
