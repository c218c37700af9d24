import { branchAndBound, isSmall } from "./branch-and-bound.ts";
import { compile } from "./instance.ts";
import type { Problem, Solution } from "./problem.ts";
import { SEARCH_WORK, searchInstance } from "./search.ts";

export interface SolveLimits {
  /** Steps of the exact search: checks of an option against a node. */
  readonly exactWork?: number;
  /** Checks of an option against a node in the large search. */
  readonly searchWork?: number;
}

/** About 0.1 s where it does not suffice. */
const EXACT_WORK = 1_000_000;

/** A first solution for branch and bound to start from: a few milliseconds. */
const HEAD_START = 20_000;

/**
 * The best solution that the work allows: exact branch and bound where that suffices, otherwise the large search.
 * `optimal` says that the value is proven greatest. The same problem gives the same solution; of equally good ones an
 * exact one is the first in the order of items, options and nodes. Throws `RangeError` for a problem whose indices or
 * amounts make no sense.
 */
export function solve(problem: Problem, limits: SolveLimits = {}): Solution {
  const { exactWork = EXACT_WORK, searchWork = SEARCH_WORK } = limits;
  const instance = compile(problem);
  if (isSmall(instance)) {
    const exact = branchAndBound(
      instance,
      searchInstance(instance, Math.min(HEAD_START, searchWork)),
      exactWork,
    );
    if (exact !== undefined) return exact;
  }
  return searchInstance(instance, searchWork);
}
