import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";
import type { Instance } from "./instance.ts";
import type { Placement } from "./placement.ts";
import type { Choice, Solution } from "./problem.ts";

/** Moves each item in turn to its first option of the same value, and there to the lowest node that has room. */
export function settle(instance: Instance, placement: Placement): void {
  for (const [item, candidates] of instance.items.entries()) {
    const taken = placement.taken[item];
    if (taken === undefined) continue;
    const from = placement.nodeOf[item] ?? ELSEWHERE;
    placement.remove(item);
    let [target, node] = [taken, from];
    for (const candidate of candidates) {
      if (candidate.value !== taken.value) continue;
      const found = lowestNode(instance, placement, candidate);
      if (found === undefined) continue;
      [target, node] = [candidate, found];
      break;
    }
    placement.put(target, node);
  }
}

function lowestNode(instance: Instance, placement: Placement, candidate: Candidate): number | undefined {
  if (candidate.kind === ELSEWHERE) return ELSEWHERE;
  const nodes = candidate.node === ANY ? (instance.kinds[candidate.kind] ?? []) : [candidate.node];
  return nodes.find((node) => placement.fits(candidate, node));
}

/** The choices of a placement, with their values summed in the order of the items. */
export function solutionOf(placement: Placement): Solution {
  return solutionFrom(placement.taken, placement.nodeOf);
}

/** Choices from candidates and their nodes. */
export function solutionFrom(taken: readonly (Candidate | undefined)[], nodeOf: ArrayLike<number>): Solution {
  let value = 0;
  const choices = taken.map((candidate, item): Choice | undefined => {
    if (candidate === undefined) return undefined;
    value += candidate.value;
    const node = nodeOf[item] ?? ELSEWHERE;
    return node === ELSEWHERE ? { option: candidate.option } : { option: candidate.option, node };
  });
  return { choices, value, optimal: false };
}
