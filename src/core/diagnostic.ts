import type { Code } from "./codes.ts";

export type Severity = "error" | "warning" | "note";

/**
 * One finding about an input, for a person and for a program alike.
 * `path` is the spec's own path (`services.oracle.context`), `hint` is what to type,
 * `source` is where the fact behind the finding comes from. Lines and columns count from 1.
 */
export interface Diagnostic {
  readonly code: Code;
  readonly severity: Severity;
  readonly message: string;
  readonly path?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly hint?: string;
  readonly source?: string;
}

export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some((d) => d.severity === "error");

/** Orders by file, then position, then code, so that the same input always reads the same. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted(
    (a, b) =>
      compare(a.file ?? "", b.file ?? "") ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      compare(a.code, b.code) ||
      compare(a.path ?? "", b.path ?? ""),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** One diagnostic as plain text: `file:line:column error code at path: message`, the hint on a line of its own. */
export function formatDiagnostic(d: Diagnostic): string {
  const place = [d.file, d.line, d.column].filter((part) => part !== undefined).join(":");
  const head = `${place === "" ? "" : `${place} `}${d.severity} ${d.code}${d.path === undefined ? "" : ` at ${d.path}`}`;
  const hint = d.hint === undefined ? "" : `\n  → ${d.hint}`;
  const source = d.source === undefined ? "" : `\n  source: ${d.source}`;
  return `${head}: ${d.message}${hint}${source}`;
}
