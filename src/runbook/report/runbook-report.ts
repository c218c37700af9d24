import { formatDuration } from "../../core/index.ts";
import { codeSpan, markdownText } from "../../render/escape/markdown.ts";
import type { JournaledRun, RunRow } from "../../store/index.ts";
import type { Entry, TimedEntry } from "../journal/entry.ts";
import { readEntries } from "../journal/read-entries.ts";
import { PHASES } from "../step.ts";
import { commandAppendix } from "./command-appendix.ts";
import { instant } from "./instant.ts";
import { stepRecords } from "./step-records.ts";
import type { StepRecord } from "./step-records.ts";

/**
 * The definition of done of a spec as Markdown, from the journal of its runs alone, oldest first: what is there, with what
 * proves it, and what was decided, agreed to and run on the way.
 */
export const runbookReport = (name: string, runs: readonly JournaledRun[]): string =>
  reportOf(
    name,
    runs.map(({ run }) => run),
    runs.flatMap(({ entries }) => readEntries(entries)),
  );

/** The same from entries that were read before, of all these runs, oldest first. */
export function reportOf(name: string, runs: readonly RunRow[], entries: readonly TimedEntry[]): string {
  const records = stepRecords(entries);
  const good = records.filter(({ state }) => state === "done" || state === "there").length;
  return [
    `# Definition of done: ${markdownText(name)}`,
    "",
    `${good} of ${records.length} steps are there. Made from the journal alone; nothing was looked at for it.`,
    "",
    ...runLines(runs),
    ...PHASES.flatMap((phase) => phaseTable(phase, records)),
    ...list("Fallbacks taken", fallbackLines(entries)),
    ...list("Consents given", linesOf(entries, consentLine)),
    ...list("Drift found", linesOf(entries, driftLine)),
    ...list("Notes", linesOf(entries, noteLine)),
    ...commandAppendix(entries),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function runLines(runs: readonly RunRow[]): readonly string[] {
  const rows = runs.map((run) => {
    const end = run.ended === undefined ? "not ended: at work, or its process was killed" : run.outcome;
    const took = run.ended === undefined ? "" : formatDuration(run.ended - run.begun);
    return `| ${run.id} | ${instant(run.begun)} | ${markdownText(run.by)} | ${end ?? ""} | ${took} |`;
  });
  return ["| run | begun | by | came to | took |", "|---|---|---|---|---|", ...rows, ""];
}

function phaseTable(phase: string, records: readonly StepRecord[]): readonly string[] {
  const own = records.filter(({ planned }) => planned.phase === phase);
  if (own.length === 0) return [];
  return [
    `## ${phase}`,
    "",
    "| step | what | state | evidence | when | took |",
    "|---|---|---|---|---|---|",
    ...own.map(stepRow),
    "",
  ];
}

function stepRow({ planned, state, evidence, when, duration }: StepRecord): string {
  const cells = [
    codeSpan(planned.id),
    markdownText(planned.title),
    state,
    evidence.map(markdownText).join("; "),
    when === undefined ? "" : instant(when),
    duration === undefined ? "" : formatDuration(duration),
  ];
  return `| ${cells.join(" | ")} |`;
}

const list = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`## ${title}`, "", ...lines.map((line) => `* ${line}`), ""];

const linesOf = (
  entries: readonly TimedEntry[],
  line: (entry: Entry) => string | undefined,
): readonly string[] =>
  entries.flatMap(({ time, entry }) => {
    const text = line(entry);
    return text === undefined ? [] : [`${instant(time)} ${text}`];
  });

/** Each fallback once, when it was taken: later runs go on with it. */
const fallbackLines = (entries: readonly TimedEntry[]): readonly string[] =>
  linesOf(entries, (entry) =>
    entry.kind === "fallback" && !entry.carried
      ? `${codeSpan(entry.step)}: ${markdownText(entry.text)}, because: ${markdownText(entry.reason)}`
      : undefined,
  );

const consentLine = (entry: Entry): string | undefined =>
  entry.kind === "consent"
    ? `${codeSpan(entry.token)} by ${markdownText(entry.by)} (${entry.how}): ${markdownText(entry.text)}`
    : undefined;

const driftLine = (entry: Entry): string | undefined =>
  entry.kind === "drift"
    ? `${codeSpan(entry.step)}: ${markdownText(entry.missing)}; was there at ${instant(entry.since)}`
    : undefined;

const noteLine = (entry: Entry): string | undefined =>
  entry.kind === "note"
    ? `${entry.step === undefined ? "" : `${codeSpan(entry.step)}: `}${markdownText(entry.text)}`
    : undefined;
