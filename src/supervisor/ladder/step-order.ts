import type { LadderRung } from "../../plan/plan.ts";
import { rungFor, rungForHeat } from "./rung-choice.ts";

/** A service on a device that is under pressure. */
export interface Candidate {
  readonly service: string;
  readonly priority: number;
  readonly rungs: readonly LadderRung[];
  readonly rung: number;
}

/**
 * Which service on a device steps down: the least important that can free anything there, of equals one that frees
 * enough, and of these the one that loses the fewest rungs. `undefined` when none can. Pure.
 */
export function whoMakesRoom(
  candidates: readonly Candidate[],
  device: string,
  missing: number,
): string | undefined {
  const able = candidates.flatMap(({ service, priority, rungs, rung }) => {
    const choice = rungFor(rungs, rung, [{ device, bytes: missing }]);
    return choice === undefined
      ? []
      : [{ service, priority, loses: choice.to - rung, enough: choice.enough }];
  });
  const [first] = able.toSorted(
    (one, other) =>
      one.priority - other.priority ||
      Number(other.enough) - Number(one.enough) ||
      one.loses - other.loses ||
      one.service.localeCompare(other.service),
  );
  return first?.service;
}

/** Which service gives a hot card less to do: the least important that can. Pure. */
export function whoDoesLess(candidates: readonly Candidate[]): string | undefined {
  const [first] = candidates
    .filter(({ rungs, rung }) => rungForHeat(rungs, rung) !== undefined)
    .toSorted((one, other) => one.priority - other.priority || one.service.localeCompare(other.service));
  return first?.service;
}
