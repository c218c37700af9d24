import { branchAndBound } from "./branch-and-bound.ts";
import { compile } from "./instance.ts";
import { findPrices, openMarket } from "./prices.ts";
import type { Problem, Solution } from "./problem.ts";

/**
 * The solution of greatest value, the first of them in the order of items, options and nodes; undefined where `work`
 * steps do not suffice. Uses nothing of the large search.
 */
export function solveExactly(problem: Problem, work: number): Solution | undefined {
  const instance = compile(problem);
  const market = openMarket(instance);
  const { prices } = findPrices(market, 0, 100);
  return branchAndBound(instance, market, prices, { choices: [], value: 0, optimal: false }, work);
}
