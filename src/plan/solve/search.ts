import type { Candidate } from "./candidate.ts";
import { type Instance, compile } from "./instance.ts";
import { NOWHERE, Placement } from "./placement.ts";
import { type Market, openMarket } from "./market.ts";
import { findPrices, profit } from "./prices.ts";
import type { Problem, Solution } from "./problem.ts";
import { Random } from "./random.ts";
import { exchange } from "./exchange.ts";
import { settle, solutionOf } from "./settle.ts";

/** Checks of an option against a node: 0.3 to 0.5 s, which only crowded fleets need. */
export const SEARCH_WORK = 8_000_000;

const PRICE_ROUNDS = 120;

/** Relative error of the sums behind a bound, generously. */
const ROUNDING = 1e-12;
/** Values that are no integers count as the same within this part of them. */
const SAME = 1e-9;

/**
 * Places items by value against the prices of what they take, then improves by taking some off and putting others on,
 * until the bound is reached, nothing improves, or `work` checks of an option against a node are spent. `optimal` only
 * where the bound proves it. For any size of problem.
 */
export function search(problem: Problem, work = SEARCH_WORK): Solution {
  return searchInstance(compile(problem), work);
}

/** An upper bound on the value of any solution: the Lagrangian bound over bins and their dual feasible functions. */
export function upperBound(problem: Problem): number {
  const instance = compile(problem);
  const market = openMarket(instance);
  const known = solutionOf(greedy(instance, market, new Float64Array(market.rowCount))).value;
  const { bound } = findPrices(market, known, 2 * PRICE_ROUNDS);
  return instance.integral ? wholeBelow(bound) : bound * (1 + ROUNDING);
}

/** The greatest integer that a bound allows, by the rounding of its sums. */
function wholeBelow(bound: number): number {
  return Math.floor(bound * (1 + ROUNDING) + 1e-7);
}

/** The search, on a compiled problem. */
export function searchInstance(instance: Instance, work: number): Solution {
  const market = openMarket(instance);
  const free = greedy(instance, market, new Float64Array(market.rowCount));
  const first = solutionOf(free);
  const { prices, bound } = findPrices(market, first.value, PRICE_ROUNDS);
  const limit = instance.integral ? wholeBelow(bound) : bound * (1 - SAME);
  let best = free;
  if (first.value < limit) {
    const priced = greedy(instance, market, prices);
    if (solutionOf(priced).value > first.value) best = priced;
    exchange(
      instance,
      best,
      { limit, work, random: new Random(instance.items.length) },
      ranking(market, prices),
    );
  }
  settle(instance, best);
  const solution = solutionOf(best);
  return { ...solution, optimal: solution.value >= limit };
}

/** Each item's candidates by what they are worth at these prices, best first. */
function ranking(market: Market, prices: Float64Array): readonly (readonly Candidate[])[] {
  return market.offers.map((offers) => {
    const worth = new Map<Candidate, number>();
    for (const offer of offers) {
      const left = profit(offer, prices);
      if (left > (worth.get(offer.candidate) ?? -Infinity)) worth.set(offer.candidate, left);
    }
    return [...worth]
      .toSorted(([a, x], [b, y]) => y - x || a.option - b.option)
      .map(([candidate]) => candidate);
  });
}

/** Items in the order of what their best candidate is worth at these prices; each takes the best for which there is room. */
function greedy(instance: Instance, market: Market, prices: Float64Array): Placement {
  const placement = new Placement(instance);
  const ranked = ranking(market, prices);
  const most = market.offers.map((offers) =>
    offers.reduce((top, offer) => Math.max(top, profit(offer, prices)), 0),
  );
  const order = [...most.keys()].toSorted((a, b) => (most[b] ?? 0) - (most[a] ?? 0) || a - b);
  for (const item of order) insert(placement, ranked[item] ?? []);
  return placement;
}

/** Gives an item the first of these candidates for which there is room. */
function insert(placement: Placement, candidates: readonly Candidate[]): void {
  for (const candidate of candidates) {
    const node = placement.bestNode(candidate);
    if (node === NOWHERE) continue;
    placement.put(candidate, node);
    return;
  }
}
