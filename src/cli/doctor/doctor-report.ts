import { CHECK_GROUPS } from "../../host/doctor/index.ts";
import type { DoctorReport, Finding, FindingState } from "../../host/doctor/index.ts";
import type { Terminal } from "../terminal.ts";

const COLOURS = { ok: "green", note: "cyan", warning: "yellow", error: "red", unknown: "dim" } as const;
const MARKS: Readonly<Record<FindingState, string>> = {
  ok: "ok     ",
  note: "note   ",
  warning: "warning",
  error: "error  ",
  unknown: "unknown",
};

/** Prints what a host came to: by group, what is not as it should be at length, the rest counted or, with `all`, listed. */
export function printReport({ host, findings }: DoctorReport, all: boolean, terminal: Terminal): void {
  const { out, style } = terminal;
  out(style("bold", host));
  for (const group of CHECK_GROUPS) {
    const own = findings.filter(({ check }) => check.startsWith(`${group}.`));
    if (own.length === 0) continue;
    const fine = own.filter(({ state }) => state === "ok");
    const rest = own.filter(({ state }) => state !== "ok");
    out("");
    out(`${style("bold", group)}${fine.length === 0 ? "" : style("dim", `  ${fine.length} ok`)}`);
    for (const finding of all ? own : rest) printFinding(finding, terminal);
  }
  out("");
}

/** One finding: a line when all is well, else what is wanted, why, what to do, and who says so. */
function printFinding(finding: Finding, { out, style }: Terminal): void {
  const { check, subject, state, seen, wanted, why, remedy, fix, source } = finding;
  const name = subject === undefined ? check : `${check}  ${subject}`;
  out(`  ${style(COLOURS[state], MARKS[state])} ${style("bold", name)}`);
  const line = (label: string, text: string | undefined): void => {
    if (text !== undefined) out(`          ${style("dim", label.padEnd(6))}  ${text}`);
  };
  line("seen", seen);
  if (state === "ok") return;
  line("wanted", wanted);
  line("why", why);
  line("do", remedy);
  if (fix !== undefined) line("fix", `${fix.title} (./omni doctor --fix)`);
  line("source", source);
}

/** `2 errors, 1 warning, 14 ok`. */
export function countFindings(findings: readonly Finding[]): string {
  const counts = (["error", "warning", "unknown", "note", "ok"] as const).map((state) => ({
    state,
    count: findings.filter((finding) => finding.state === state).length,
  }));
  const parts = counts.flatMap(({ state, count }) =>
    count === 0
      ? []
      : [`${count} ${state}${count === 1 || state === "ok" || state === "unknown" ? "" : "s"}`],
  );
  return parts.length === 0 ? "nothing was looked at" : parts.join(", ");
}
