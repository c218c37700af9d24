import { messageOf } from "../../core/index.ts";
import type { TakenFallback } from "../journal/entry.ts";
import type { Exclusions, Runbook } from "../runbook.ts";
import { boardOf } from "./board.ts";
import type { Board, Place } from "./board.ts";
import { atDepth } from "./first-runbook.ts";
import type { BoardMaking } from "./first-runbook.ts";
import { edgesOf } from "./order.ts";
import { partsOf } from "./selection.ts";

/** The board of a runbook; `old` is what was on it until now. Throws `OmniError` `runbook.order-cycle`. */
export function laidOut(
  { order, selection }: BoardMaking,
  { steps }: Runbook,
  depths: ReadonlyMap<string, number>,
  old?: Board,
): Board {
  const edges = edgesOf(steps, order);
  return boardOf({ steps, edges, parts: partsOf(steps, edges, selection), depths }, old);
}

export interface Turn {
  readonly board: Board;
  readonly exclusions: Exclusions;
  readonly taken: TakenFallback;
  readonly text: string;
}

/**
 * What a run turns to when a step has failed for good, or `undefined` where the step has no fallback. `why` is what it
 * failed of. Throws what `make` throws where there is no plan without the engine.
 */
export async function takeFallback(
  making: BoardMaking,
  { board, exclusions }: { readonly board: Board; readonly exclusions: Exclusions },
  failed: Place,
  why: string,
): Promise<Turn | undefined> {
  const { fallback, id } = failed.step;
  if (fallback === undefined) return undefined;
  const depths = new Map([...board].map(([id, place]) => [id, place.depth]));
  if (fallback.kind === "without-engine") {
    const without = new Map([...exclusions, [fallback.engine, why]]);
    const made = await making.make(without);
    const steps = made.steps.map((step) => atDepth(step, depths.get(step.id) ?? 0));
    const next = laidOut(making, { ...made, steps }, depths, board);
    const taken = { kind: "without-engine", engine: fallback.engine } as const;
    return { board: next, exclusions: without, taken, text: fallback.text };
  }
  const depth = failed.depth + 1;
  const steps = [...board.values()].filter(({ replaced }) => !replaced).map(({ step }) => step);
  const exchanged = steps.map((step) => (step.id === id ? fallback.step : step));
  const waiting = new Map(board);
  waiting.delete(id);
  const runbook = { name: "", steps: exchanged, exclusions };
  const next = laidOut(making, runbook, depths.set(id, depth), waiting);
  return { board: next, exclusions, taken: { kind: "step", depth }, text: fallback.text };
}

/** What a note says of a fallback that could not be taken. */
export const notTaken = (text: string, thrown: unknown): string =>
  `The fallback cannot be taken (${text}): ${messageOf(thrown)}`;
