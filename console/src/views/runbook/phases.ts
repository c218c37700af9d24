import type { Tone } from "../../parts/badge.tsx";
import { toneOfStep } from "./run-words.ts";
import type { Step } from "./runbook-types.ts";

/** In the order in which a runbook goes through them. */
export const PHASES = [
  "metal",
  "image",
  "guest",
  "storage",
  "models",
  "engines",
  "services",
  "acceptance",
] as const;

/** A phase of a run with what its steps came to. */
export interface PhaseStand {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Steps that are there, done by this run or before. */
  readonly good: number;
  /** Of the step that needs most attention; `quiet` where none was begun. */
  readonly tone: Tone;
  readonly word: string;
}

/** What counts most of a phase's steps, the gravest first. */
const GRAVITY: readonly Tone[] = ["error", "warning", "busy"];

/** Phases that have steps, in their order; a phase that this console does not know comes last. */
export function phasesOf(steps: readonly Step[]): readonly PhaseStand[] {
  const names = [...new Set([...PHASES, ...steps.map(({ phase }) => phase)])];
  return names
    .map((name) => ({ name, steps: steps.filter(({ phase }) => phase === name) }))
    .filter(({ steps }) => steps.length > 0)
    .map(({ name, steps }) => ({ name, steps, ...standOf(steps) }));
}

function standOf(steps: readonly Step[]): Pick<PhaseStand, "good" | "tone" | "word"> {
  const tones = steps.map(toneOfStep);
  const good = tones.filter((tone) => tone === "good").length;
  const grave = GRAVITY.find((tone) => tones.includes(tone));
  if (grave !== undefined) return { good, tone: grave, word: WORDS[grave] ?? "" };
  if (good === steps.length) return { good, tone: "good", word: "done" };
  return { good, tone: "quiet", word: good > 0 ? "in part" : "not begun" };
}

const WORDS: Readonly<Partial<Record<Tone, string>>> = {
  error: "failed",
  warning: "waits",
  busy: "at work",
};
