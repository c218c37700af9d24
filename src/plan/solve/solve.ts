import { branchAndBound } from "./branch-and-bound.ts";
import { compile } from "./instance.ts";
import type { Problem, Solution } from "./problem.ts";
import { SEARCH_WORK, searchInstance } from "./search.ts";

export interface SolveLimits {
  /** Steps of the exact search: checks of an option against a node. */
  readonly exactWork?: number;
  /** Checks of an option against a node in the large search. */
  readonly searchWork?: number;
}

const EXACT_WORK = 1_000_000;

/**
 * The best solution that the work allows: the large search, and where its bound leaves a doubt, exact branch and bound
 * from there. `optimal` says that the value is proven greatest. The same problem gives the same solution. Throws
 * `RangeError` for a problem whose indices or amounts make no sense.
 */
export function solve(problem: Problem, limits: SolveLimits = {}): Solution {
  const instance = compile(problem);
  const solution = searchInstance(instance, limits.searchWork ?? SEARCH_WORK);
  return branchAndBound(instance, solution, limits.exactWork ?? EXACT_WORK) ?? solution;
}
