import { branchAndBound } from "./branch-and-bound.ts";
import { compile } from "./instance.ts";
import type { Problem, Solution } from "./problem.ts";

/**
 * The solution of greatest value, the first of them in the order of items, options and nodes; undefined where `work`
 * steps do not suffice. Uses nothing of the large search.
 */
export function solveExactly(problem: Problem, work: number): Solution | undefined {
  return branchAndBound(compile(problem), { choices: [], value: 0, optimal: false }, work);
}
