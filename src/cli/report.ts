import type { OmniError } from "../core/index.ts";
import type { Diagnostic, Severity } from "../core/index.ts";
import type { Terminal } from "./terminal.ts";

const COLOURS: Readonly<Record<Severity, "red" | "yellow" | "cyan">> = {
  error: "red",
  warning: "yellow",
  note: "cyan",
};

/** Prints findings to `err`, each with its place, its remedy and where the fact comes from. */
export function reportDiagnostics(diagnostics: readonly Diagnostic[], terminal: Terminal): void {
  for (const d of diagnostics) {
    const { styleErr } = terminal;
    const place = [d.file, d.line, d.column].filter((part) => part !== undefined).join(":");
    const path = d.path === undefined || d.path === "" ? "" : ` ${styleErr("dim", `at ${d.path}`)}`;
    terminal.err(
      `${place === "" ? "" : `${place}: `}${styleErr(COLOURS[d.severity], d.severity)} ${styleErr("bold", d.code)}${path}`,
    );
    terminal.err(`  ${d.message}`);
    if (d.hint !== undefined) terminal.err(`  ${styleErr("green", "→")} ${d.hint}`);
    if (d.source !== undefined) terminal.err(`  ${styleErr("dim", `source: ${d.source}`)}`);
  }
}

/** One line that counts: `3 errors, 1 warning`. */
export function countLine(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Severity): number => diagnostics.filter((d) => d.severity === severity).length;
  const parts = (["error", "warning", "note"] as const)
    .map((severity) => [severity, count(severity)] as const)
    .filter(([, n]) => n > 0)
    .map(([severity, n]) => `${n} ${severity}${n === 1 ? "" : "s"}`);
  return parts.length === 0 ? "no findings" : parts.join(", ");
}

/** Prints an error that ended a command: its findings when it has several, else itself. */
export function reportError(error: OmniError, terminal: Terminal): void {
  reportDiagnostics(error.diagnostics.length > 0 ? error.diagnostics : [error.toDiagnostic()], terminal);
  if (error.diagnostics.length > 1) terminal.err(error.message);
}
