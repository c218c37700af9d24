import { inputsHash } from "../journal/inputs-hash.ts";
import type { Step } from "../step.ts";
import type { Edges } from "./order.ts";
import type { Outcome, StepResult } from "./result.ts";
import type { ScheduledStep, Standing } from "./schedule.ts";
import type { Part } from "./selection.ts";

/** How far a step of a run is. */
export type PlaceState =
  | { readonly kind: "waiting" }
  | {
      readonly kind: "running";
      readonly end: (why: Error) => void;
      /** What it does is wanted no more. */ readonly stale: boolean;
    }
  | { readonly kind: "ended"; readonly outcome: Outcome };

/** A step of a run, with how far it is. */
export interface Place {
  readonly step: Step;
  readonly hash: string;
  readonly part: Part;
  readonly needs: readonly string[];
  /** How often a fallback has taken the place of the step of this id. */
  readonly depth: number;
  /** The runbook has it no more. */
  readonly replaced: boolean;
  readonly state: PlaceState;
}

export type Board = ReadonlyMap<string, Place>;

const WAITING: PlaceState = { kind: "waiting" };

export interface BoardInput {
  readonly steps: readonly Step[];
  readonly edges: Edges;
  readonly parts: ReadonlyMap<string, Part>;
  /** By step, how many fallbacks of its chain were taken. */
  readonly depths: ReadonlyMap<string, number>;
}

/**
 * The board of a runbook that is made again: what is done stays done and what runs goes on, as far as it follows from the
 * same inputs; all else waits. Steps that are gone stay for the record. Nothing is ended here: see `unwanted`.
 */
export function boardOf({ steps, edges, parts, depths }: BoardInput, old: Board = new Map()): Board {
  const board = new Map<string, Place>();
  for (const step of steps) {
    const { id } = step;
    const hash = inputsHash(step);
    const before = old.get(id);
    board.set(id, {
      step,
      hash,
      part: parts.get(id) ?? "do",
      needs: edges.get(id) ?? [],
      depth: depths.get(id) ?? 0,
      replaced: false,
      state: before === undefined ? WAITING : stateAgain(before, hash),
    });
  }
  for (const [id, place] of old)
    if (!board.has(id)) board.set(id, { ...place, replaced: true, state: stateGone(place.state) });
  return board;
}

function stateAgain({ state, hash: old, replaced }: Place, hash: string): PlaceState {
  const same = old === hash && !replaced;
  if (state.kind === "running") return same ? state : { ...state, stale: true };
  if (state.kind === "waiting" || !same) return WAITING;
  // Whom it waited for, and whether it is part of the run, is decided anew.
  return state.outcome.kind === "not-executed" || state.outcome.kind === "skipped" ? WAITING : state;
}

function stateGone(state: PlaceState): PlaceState {
  if (state.kind === "running") return { ...state, stale: true };
  if (state.kind === "ended") return state;
  return { kind: "ended", outcome: { kind: "cancelled", why: "a fallback was taken" } };
}

/** What the scheduler has to know; steps that are gone take room only while they run. */
export const scheduled = (board: Board): readonly ScheduledStep[] =>
  [...board].map(([id, { needs, state }]) => ({ id, needs, standing: standingOf(state) }));

function standingOf(state: PlaceState): Standing {
  if (state.kind !== "ended") return state.kind;
  return state.outcome.kind === "there" || state.outcome.kind === "done" ? "met" : "unmet";
}

export const resultsOf = (board: Board): readonly StepResult[] =>
  [...board.values()].map(({ step: { id, phase, title }, state, replaced }) => ({
    id,
    phase,
    title,
    replaced,
    outcome:
      state.kind === "ended" ? state.outcome : { kind: "not-executed", why: "the run ended before it" },
  }));
