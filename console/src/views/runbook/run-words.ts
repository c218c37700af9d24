import type { Tone } from "../../parts/badge.tsx";
import type { Run, Step } from "./runbook-types.ts";

/** How a run stands, in a word or three, with its tone. A run that is not at work and has no end was killed. */
export function standOf({ active, ended, outcome }: Run): { readonly word: string; readonly tone: Tone } {
  if (active && ended === undefined) return { word: "at work", tone: "busy" };
  if (ended === undefined) return { word: "cut off", tone: "error" };
  const word = outcome ?? "ended";
  return { word, tone: OUTCOMES.get(word) ?? "quiet" };
}

const OUTCOMES: ReadonlyMap<string, Tone> = new Map([
  ["done", "good"],
  ["failed", "error"],
  ["refused", "warning"],
  ["interrupted", "warning"],
]);

const STATES: ReadonlyMap<string, Tone> = new Map([
  ["done", "good"],
  ["there", "good"],
  ["at work", "busy"],
  ["failed", "error"],
  ["cancelled", "error"],
  ["refused", "warning"],
  ["waits for consent", "warning"],
  ["not executed", "warning"],
]);

export const toneOfStep = ({ state }: Pick<Step, "state">): Tone => STATES.get(state) ?? "quiet";

/** The token that a step which waits for consent names: what is typed after `--consent`. */
export const consentOf = ({ state, evidence }: Pick<Step, "state" | "evidence">): string | undefined =>
  state === "waits for consent"
    ? evidence.map((line) => /--consent (\S+?)\.?$/.exec(line)?.[1]).find((token) => token !== undefined)
    : undefined;

/** Runs of what was asked for and of what the stream told since, newest first; the newer word on a run counts. */
export function withLive(asked: readonly Run[], live: readonly Run[]): readonly Run[] {
  const runs = new Map(asked.map((run) => [`${run.spec} ${run.id}`, run]));
  for (const run of live) runs.set(`${run.spec} ${run.id}`, run);
  return [...runs.values()].toSorted((a, b) => b.begun - a.begun || b.id - a.id);
}
