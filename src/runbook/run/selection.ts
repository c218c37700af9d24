import { PHASES } from "../step.ts";
import type { Phase } from "../step.ts";
import type { Edges } from "./order.ts";

/** What of a runbook a run is about; all of it where neither is given. */
export interface Selection {
  /** The last phase. */
  readonly to?: Phase;
  /** Ids of steps. */
  readonly only: readonly string[];
}

/** `do` brings it about, `look` only sees whether it is there because a step of the run needs it, `skip` leaves it alone. */
export type Part = "do" | "look" | "skip";

/** By step, what a run has to do with it. */
export function partsOf(
  steps: readonly { readonly id: string; readonly phase: Phase }[],
  edges: Edges,
  { to, only }: Selection,
): ReadonlyMap<string, Part> {
  const last = to === undefined ? PHASES.length : PHASES.indexOf(to);
  const chosen = new Set(
    steps
      .filter(({ id, phase }) => PHASES.indexOf(phase) <= last && (only.length === 0 || only.includes(id)))
      .map(({ id }) => id),
  );
  const needed = new Set([...chosen].flatMap((id) => edges.get(id) ?? []));
  return new Map(
    steps.map(({ id }) => [id, chosen.has(id) ? "do" : needed.has(id) ? "look" : "skip"] as const),
  );
}
