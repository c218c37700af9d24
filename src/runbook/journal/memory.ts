import type { JournaledRun, RunRow } from "../../store/index.ts";
import type { Entry, TimedEntry } from "./entry.ts";
import { readEntries } from "./read-entries.ts";

export interface CutOff {
  readonly run: RunRow;
  /** Steps that were at work when its process ended, each with the effect or command that it was inside, if any. */
  readonly at: ReadonlyMap<string, string | undefined>;
}

/** What earlier runs of a spec left behind. */
export interface Memory {
  /** By step: when it was last seen to be there, and with which inputs. */
  readonly verified: ReadonlyMap<string, { readonly hash: string; readonly time: number }>;
  /** Fallbacks that the last run had taken, in the order in which they were. */
  readonly fallbacks: readonly Extract<Entry, { kind: "fallback" }>[];
  /** Steps that the last run left undone, by failure or by its end. */
  readonly unfinished: boolean;
  /** The last run, where its process was killed. */
  readonly cutOff?: CutOff;
}

const NO_MEMORY: Memory = { verified: new Map(), fallbacks: [], unfinished: false };

/** What is known from runs that are not at work any more, oldest first. */
export function recall(runs: readonly JournaledRun[]): Memory {
  const verified = new Map<string, { hash: string; time: number }>();
  let fallbacks: readonly Extract<Entry, { kind: "fallback" }>[] = [];
  for (const { entries: rows } of runs) {
    const entries = readEntries(rows);
    for (const { time, entry } of entries)
      if (entry.kind === "verified") verified.set(entry.step, { hash: entry.hash, time });
    // A run that was killed before it had a plan knows nothing of what the one before it had decided.
    if (entries.some(({ entry }) => entry.kind === "plan"))
      fallbacks = entries.map(({ entry }) => entry).filter((entry) => entry.kind === "fallback");
  }
  const last = runs.at(-1);
  if (last === undefined) return NO_MEMORY;
  const { run } = last;
  return {
    verified,
    fallbacks,
    unfinished: run.outcome !== "done",
    ...(run.ended === undefined ? { cutOff: { run, at: openSteps(readEntries(last.entries)) } } : {}),
  };
}

/** Steps that were begun and not ended, with the innermost thing that was begun in each and not ended. */
export function openSteps(entries: readonly TimedEntry[]): ReadonlyMap<string, string | undefined> {
  const open = new Map<string, string[]>();
  for (const { entry } of entries) {
    if (entry.kind === "plan" || entry.kind === "note") continue;
    const inside = open.get(entry.step) ?? [];
    if (entry.kind === "step-begun") open.set(entry.step, []);
    else if (entry.kind === "effect-begun") inside.push(entry.effect);
    else if (entry.kind === "command-begun") inside.push(entry.argv.join(" "));
    else if (entry.kind === "effect-done" || entry.kind === "command") inside.pop();
    else if (ENDS.has(entry.kind)) open.delete(entry.step);
  }
  return new Map([...open].map(([step, inside]) => [step, inside.at(-1)]));
}

const ENDS: ReadonlySet<Entry["kind"]> = new Set([
  "verified",
  "failed",
  "refused",
  "unconsented",
  "skipped",
  "not-executed",
  "cancelled",
]);
