import { parseAllDocuments } from "yaml";
import type { ErrorCode, YAMLError } from "yaml";
import type { Code, Diagnostic } from "../../core/index.ts";
import { checkBounds } from "./check-bounds.ts";
import { findUnclosed } from "./find-unclosed.ts";
import { SpecSource } from "./source.ts";
import type { PlainMap } from "./yaml-tree.ts";

interface ReadYaml {
  readonly source: SpecSource;
  /** The top map, unless nothing could be made of the file. */
  readonly root?: PlainMap;
  readonly diagnostics: readonly Diagnostic[];
}

/** One slip in the text often makes faults of all that follows; the first ones tell. */
const MAX_TEXT_FAULTS = 20;

/** Faults that the parser notices at the end of the text, long after the slip. */
const UNCLOSED = /^Missing closing|must be sufficiently indented and end with/;

const CODES: Partial<Record<ErrorCode, Code>> = {
  TAB_AS_INDENT: "spec.tab",
  RESOURCE_EXHAUSTION: "spec.too-deep",
  TAG_RESOLVE_FAILED: "spec.unsupported-tag",
  MULTIPLE_TAGS: "spec.unsupported-tag",
};

const HINTS: Partial<Record<ErrorCode, string>> = {
  TAB_AS_INDENT: "indent by spaces",
  RESOURCE_EXHAUSTION: "no part of a spec is that deep; check the brackets",
  TAG_RESOLVE_FAILED: "remove the tag (!…); the schema knows the type",
  BAD_INDENT: "indent each level by two spaces",
  BLOCK_AS_IMPLICIT_KEY: "put the nested map on a line of its own, or quote the text",
  MULTILINE_IMPLICIT_KEY: "key: value   # a colon with a space after it",
  MISSING_CHAR: "close the quote or bracket",
  BAD_SCALAR_START: "quote the text",
  UNEXPECTED_TOKEN: "quote the text, or check the line above",
};

/** Reads YAML 1.2 into plain values; every fault of the text itself is a diagnostic. */
export function readYaml(text: string, file: string): ReadYaml {
  const source = new SpecSource(text, file);
  const bound = checkBounds(text);
  if (bound !== undefined) {
    const { code, message, hint, offset } = bound;
    return { source, diagnostics: [source.atOffset(offset, { code, severity: "error", message, hint })] };
  }
  const documents = parseAllDocuments(text, {
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: "silent",
    strict: true,
  });
  const [document, second] = Array.isArray(documents) ? documents : [];
  const diagnostics: Diagnostic[] = [];
  const faults = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
  const unclosed = faults.some((fault) => UNCLOSED.test(fault.message)) ? findUnclosed(text) : undefined;
  if (unclosed !== undefined) {
    const { offset, message, hint } = unclosed;
    return {
      source,
      diagnostics: [source.atOffset(offset, { code: "spec.syntax", severity: "error", message, hint })],
    };
  }
  // Of several faults at one place the first tells.
  const places = new Set<number>();
  for (const fault of faults.slice(0, MAX_TEXT_FAULTS)) {
    if (!places.has(fault.pos[0])) diagnostics.push(fromYaml(fault, source));
    places.add(fault.pos[0]);
  }
  if (second !== undefined) {
    diagnostics.push(
      source.atOffset(second.range?.[0] ?? 0, {
        code: "spec.several-documents",
        severity: "error",
        message: "the file holds more than one document (---)",
        hint: "keep one document a file",
      }),
    );
  }
  // After a fault of syntax the tree is a guess: what it says about keys would only mislead.
  if (diagnostics.some((d) => d.code !== "spec.unsupported-tag" && d.code !== "spec.several-documents"))
    return { source, diagnostics };

  const contents = document?.contents ?? null;
  if (contents === null) return { source, diagnostics: [...diagnostics, emptyFile(source)] };
  const value = source.tree.read(contents);
  for (const { code, hint, message, first, offset, path } of source.tree.faults) {
    const line = first === undefined ? "" : ` line ${source.lineOf(first)}`;
    diagnostics.push(
      source.atOffset(offset, { code, severity: "error", message: message + line, hint }, path),
    );
  }
  if (value === undefined) return { source, diagnostics };
  if (value === null) return { source, diagnostics: [...diagnostics, emptyFile(source)] };
  if (typeof value !== "object" || Array.isArray(value)) {
    const message = `a spec is a map of sections, but this is ${Array.isArray(value) ? "a list" : "a single value"}`;
    return {
      source,
      diagnostics: [
        ...diagnostics,
        source.atOffset(contents.range[0], {
          code: "spec.wrong-type",
          severity: "error",
          message,
          hint: "omni: 1",
        }),
      ],
    };
  }
  return { source, root: value, diagnostics };
}

const emptyFile = (source: SpecSource): Diagnostic =>
  source.atOffset(0, {
    code: "spec.empty",
    severity: "error",
    message: "the file is empty",
    hint: "omni: 1",
  });

function fromYaml(fault: YAMLError, source: SpecSource): Diagnostic {
  return source.atOffset(fault.pos[0], {
    code: CODES[fault.code] ?? "spec.syntax",
    severity: "error",
    message:
      fault.code === "RESOURCE_EXHAUSTION" ? "nested too deeply to be read" : lowerFirst(fault.message),
    hint: HINTS[fault.code] ?? "check the YAML at this place",
  });
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
