import { ELSEWHERE } from "./candidate.ts";
import { type Branch, branchesOf, countBranches } from "./branches.ts";
import type { Instance } from "./instance.ts";
import { Placement } from "./placement.ts";
import { openMarket } from "./market.ts";
import { findPrices, profit } from "./prices.ts";
import { type Hope, RowPrices } from "./row-prices.ts";
import type { Solution } from "./problem.ts";
import { solutionFrom } from "./settle.ts";
import { findSymmetries } from "./symmetry.ts";
import type { Symmetry } from "./symmetry.ts";
import { VisitedStates } from "./visited-states.ts";

/** Branches of the largest problem that is tried: its tree would outgrow any work limit anyway. */
const MOST_BRANCHES = 3_000;

const ROOT_ROUNDS = 100;

/**
 * Depth-first branch and bound. The bound of a partial solution is Lagrangian, over what still fits and with prices
 * that are lowered anew at each step. Of nodes of a kind in the same state only the first is tried, and of equal bins
 * the first; states seen before are not gone through again. A first pass finds the greatest value from `known` upwards;
 * a second one the first solution of that value in the order of items, options and nodes, if the work suffices for that
 * too. Returns undefined where it does not suffice for the value.
 */
export function branchAndBound(instance: Instance, known: Solution, work: number): Solution | undefined {
  if (!isSmall(instance)) return undefined;
  const market = openMarket(instance, "by node");
  const { prices } = findPrices(market, known.value, ROOT_ROUNDS);
  const symmetries = findSymmetries(instance);
  const greatest = new Tree(instance, market.rowCount, symmetries, work);
  const weight = (item: number): number => instance.items[item]?.[0]?.value ?? 0;
  const byValue = [...instance.items.keys()].toSorted((a, b) => weight(b) - weight(a) || a - b);
  const byProfit = branchesOf(instance, market, symmetries, (a, b) => profit(b, prices) - profit(a, prices));
  if (!greatest.search(byValue, byProfit, prices, above(instance, known.value), false)) return undefined;
  const best = greatest.found ?? known;
  const first = new Tree(instance, market.rowCount, symmetries, work - greatest.work);
  const inOrder = branchesOf(instance, market, symmetries, () => 0);
  first.search(
    [...instance.items.keys()],
    inOrder,
    prices,
    2 * best.value - above(instance, best.value),
    true,
  );
  return { ...(first.found ?? best), optimal: true };
}

/** Whether branch and bound is worth trying. */
export function isSmall(instance: Instance): boolean {
  return countBranches(instance) <= MOST_BRANCHES;
}

/** The least value that counts as more than this one, by the rounding of sums. */
function above(instance: Instance, value: number): number {
  return value + (instance.integral ? 0.5 : 1e-9 * value);
}

/** One depth-first search over the items in a given order. */
class Tree {
  readonly #instance: Instance;
  readonly #symmetries: readonly Symmetry[];
  readonly #placement: Placement;
  readonly #rows: RowPrices;
  readonly #limit: number;
  #order: readonly number[] = [];
  #visited: VisitedStates | undefined;
  /** Only what is worth at least this is of interest. */
  #floor = 0;
  #found: Solution | undefined;
  #stopAtFirst = false;
  #steps = 0;

  constructor(instance: Instance, rowCount: number, symmetries: readonly Symmetry[], limit: number) {
    this.#instance = instance;
    this.#symmetries = symmetries;
    this.#limit = limit;
    this.#placement = new Placement(instance);
    this.#rows = new RowPrices(rowCount);
  }

  get found(): Solution | undefined {
    return this.#found;
  }

  /** Checks made so far. */
  get work(): number {
    return this.#steps + this.#placement.work + this.#rows.work;
  }

  /** Looks for solutions of at least `floor`, each better than the one before; false where the work did not suffice. */
  search(
    order: readonly number[],
    branches: readonly (readonly Branch[])[],
    prices: Float64Array,
    floor: number,
    stopAtFirst: boolean,
  ): boolean {
    this.#order = order;
    this.#visited = new VisitedStates(this.#instance, this.#symmetries, order, this.#placement.free);
    this.#floor = floor;
    this.#stopAtFirst = stopAtFirst;
    const lists = order.map((item) => branches[item] ?? []);
    this.#descend(0, 0, lists, prices);
    return this.work <= this.#limit;
  }

  /** `lists` are the branches that may still fit, of the items from this depth on. */
  #descend(depth: number, value: number, lists: readonly (readonly Branch[])[], prices: Float64Array): void {
    if (depth === this.#order.length) {
      if (value < this.#floor) return;
      this.#found = solutionFrom(this.#placement.taken, this.#placement.nodeOf);
      this.#floor = above(this.#instance, value);
      return;
    }
    if (depth > 1 && depth < this.#order.length - 1) {
      this.#steps += this.#placement.free.length;
      if (this.#visited?.known(depth, value) === true) return;
    }
    const open = lists.map((list) => list.filter((branch) => this.#fits(branch)));
    const hope = this.#rows.lower(open, prices, this.#floor - value);
    if (hope === undefined) return;
    this.#branch(depth, value, open, hope);
  }

  #branch(depth: number, value: number, open: readonly (readonly Branch[])[], hope: Hope): void {
    const rest = open.slice(1);
    const twins = this.#twins();
    // What the bound is without this item, whose own part depends on the branch.
    const others = value + hope.bound - hope.first;
    for (const branch of open[0] ?? []) {
      if (others + profit(branch, hope.prices) < this.#floor) continue;
      const { candidate, node, images } = branch;
      if (candidate.kind !== ELSEWHERE) {
        if (twins[node] === 1) continue;
        if (images.some((symmetry) => this.#unmoved(symmetry, node))) continue;
      }
      this.#placement.put(candidate, node);
      this.#rows.take(branch, 1);
      this.#descend(depth + 1, value + candidate.value, rest, hope.prices);
      this.#rows.take(branch, -1);
      this.#placement.remove(candidate.item);
      if (this.work > this.#limit || (this.#stopAtFirst && this.#found !== undefined)) return;
    }
    if (others >= this.#floor) this.#descend(depth + 1, value, rest, hope.prices);
  }

  #fits({ candidate, node }: Branch): boolean {
    return node === ELSEWHERE || this.#placement.fits(candidate, node);
  }

  /** Marks nodes that are no different from a lower one of their kind; those that an option names never are. */
  #twins(): Uint8Array {
    const twins = new Uint8Array(this.#instance.kindOf.length);
    for (const nodes of this.#instance.kinds) {
      const seen: number[] = [];
      for (const node of nodes) {
        if ((this.#instance.pinned[node] ?? 0) > 0) continue;
        if (seen.some((other) => this.#alike(node, other))) twins[node] = 1;
        else seen.push(node);
      }
    }
    return twins;
  }

  #alike(one: number, other: number): boolean {
    this.#steps++;
    const { binStart } = this.#instance;
    const [from, start] = [binStart[one] ?? 0, binStart[other] ?? 0];
    const { free } = this.#placement;
    const bins = (binStart[one + 1] ?? 0) - from;
    for (let bin = 0; bin < bins; bin++) if (free[from + bin] !== free[start + bin]) return false;
    return true;
  }

  /** Whether the exchange leaves the node's state as it is. */
  #unmoved({ bins }: Symmetry, node: number): boolean {
    const start = this.#instance.binStart[node] ?? 0;
    const { free } = this.#placement;
    return bins.every((bin, index) => free[start + bin] === free[start + index]);
  }
}
