import type { Entry, PlannedStep, TimedEntry } from "../journal/entry.ts";

/** What the journal says of a step. Times are milliseconds since the epoch, durations milliseconds. */
export interface StepRecord {
  readonly planned: PlannedStep;
  readonly state: string;
  /** What proves it, or what is to blame. */
  readonly evidence: readonly string[];
  readonly when?: number;
  /** How long bringing it about took, or the attempt to. */
  readonly duration?: number;
}

type StepEntry = Exclude<Entry, { kind: "plan" }>;

const STATES: Readonly<Partial<Record<Entry["kind"], string>>> = {
  failed: "failed",
  refused: "refused",
  unconsented: "waits for consent",
  "not-executed": "not executed",
  cancelled: "cancelled",
  skipped: "left out",
  "step-begun": "at work",
};

/** A record for each step of the last plan, in its order, from the entries of all runs, oldest first. */
export function stepRecords(entries: readonly TimedEntry[]): readonly StepRecord[] {
  const planned = entries.map(({ entry }) => entry).findLast((entry) => entry.kind === "plan")?.steps ?? [];
  const records = new Map<string, StepRecord>(
    planned.map((step) => [step.id, { planned: step, state: "never begun", evidence: [] }]),
  );
  for (const { time, entry } of entries) {
    if (entry.kind === "plan" || entry.step === undefined) continue;
    const before = records.get(entry.step);
    const after = before === undefined ? undefined : recordAfter(before, entry, time);
    if (after !== undefined) records.set(entry.step, after);
  }
  return [...records.values()];
}

function recordAfter(before: StepRecord, entry: StepEntry, when: number): StepRecord | undefined {
  const { planned } = before;
  if (entry.kind === "verified") {
    const { evidence, applied } = entry;
    const duration = applied ? entry.duration : before.duration;
    const state = applied ? "done" : "there";
    return { planned, state, evidence, when, ...(duration === undefined ? {} : { duration }) };
  }
  const state = STATES[entry.kind];
  // What a run leaves out is as it was.
  if (state === undefined || (entry.kind === "skipped" && before.when !== undefined)) return undefined;
  return { planned, state, evidence: reasonOf(entry), when, ...durationOf(entry) };
}

function reasonOf(entry: StepEntry): readonly string[] {
  if (entry.kind === "failed" || entry.kind === "refused") return [entry.message, entry.hint];
  if (entry.kind === "unconsented") return [`${entry.text} Needs --consent ${entry.token}.`];
  return "why" in entry ? [entry.why] : [];
}

const durationOf = (entry: StepEntry): { readonly duration?: number } =>
  "duration" in entry ? { duration: entry.duration } : {};
