import type { Diagnostic } from "../core/index.ts";
import { hasErrors, sortDiagnostics } from "../core/index.ts";
import { applyDefaults } from "./defaults.ts";
import type { Spec } from "./spec.ts";
import { decodeSpec } from "./read/decode.ts";
import { parseSections } from "./read/parse-sections.ts";
import { readYaml } from "./read/read-yaml.ts";
import type { PlainMap } from "./read/yaml-tree.ts";
import { emptyMap } from "./read/yaml-tree.ts";
import { checkRules } from "./rules/index.ts";

export interface LoadedSpec {
  /** The spec with its defaults, frozen; absent when there is any error. */
  readonly spec?: Spec;
  /** Everything that was found, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a spec. Pure: `fileName` only names the file in diagnostics, and nothing that the spec refers to is opened.
 * All problems are reported together; warnings leave the spec usable. Throws nothing.
 */
export function loadSpec(input: string | Uint8Array, fileName: string): LoadedSpec {
  const { text, diagnostic } = decodeSpec(input, fileName);
  if (text === undefined) return { diagnostics: diagnostic === undefined ? [] : [diagnostic] };
  const { source, root, diagnostics: ofText } = readYaml(text, fileName);
  if (root === undefined) return { diagnostics: sortDiagnostics(ofText) };

  const named = withoutExtensions(root);
  const { parsed, pruned, diagnostics: ofSections } = parseSections(named, source);
  // In another version every key may mean something else: only the version is worth saying.
  const version = ofSections.filter((d) => d.code === "spec.version");
  if (version.length > 0) return { diagnostics: version };
  const ofRules = parsed === undefined ? [] : checkRules({ parsed, pruned, typed: named, source });
  const diagnostics = oncePerPlace(sortDiagnostics([...ofText, ...ofSections, ...ofRules]));
  return parsed === undefined || hasErrors(diagnostics)
    ? { diagnostics }
    : { spec: applyDefaults(parsed), diagnostics };
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
