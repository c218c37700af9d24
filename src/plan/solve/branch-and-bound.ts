import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";
import type { Instance } from "./instance.ts";
import { Placement } from "./placement.ts";
import { type Market, profit } from "./prices.ts";
import type { Solution } from "./problem.ts";
import { solutionFrom } from "./settle.ts";
import { type Symmetry, findSymmetries } from "./symmetry.ts";
import { VisitedStates } from "./visited-states.ts";

/** One candidate on one node, and its profit at the prices of the search. */
interface Move {
  readonly candidate: Candidate;
  readonly node: number;
  readonly profit: number;
}

/** A move, and the symmetries by which it is the same as an earlier one of its item's list. */
interface Branch extends Move {
  readonly images: readonly Symmetry[];
}

/** Moves of the largest problem that is tried: its tree would outgrow any work limit anyway. */
const MOST_MOVES = 8_000;

/**
 * Depth-first branch and bound. The bound of a partial solution is Lagrangian: the price of all rows, plus the profits
 * of the moves made, plus for each item to come the best profit among its moves that still fit. Of nodes of a kind in
 * the same state only the first is tried. A first pass finds the greatest value from `known` upwards; a second one the
 * first solution of that value in the order of items, options and nodes, if the work suffices for that too. Returns
 * undefined where it does not suffice for the value.
 */
export function branchAndBound(
  instance: Instance,
  market: Market,
  prices: Float64Array,
  known: Solution,
  work: number,
): Solution | undefined {
  if (countMoves(instance) > MOST_MOVES) return undefined;
  const moves = listMoves(instance, market, prices);
  const byValue = [...instance.items.keys()].toSorted(
    (a, b) => best(instance, b) - best(instance, a) || a - b,
  );
  const greatest = new Tree(instance, moves, prices, byValue, work);
  const value = greatest.greatest(known.value);
  if (value === undefined) return undefined;
  const inOrder = moves.map((list) =>
    list.toSorted((a, b) => a.candidate.option - b.candidate.option || a.node - b.node),
  );
  const first = new Tree(instance, inOrder, prices, [...instance.items.keys()], work - greatest.work).first(
    value,
  );
  return { ...(first ?? greatest.found ?? known), optimal: true };
}

function countMoves(instance: Instance): number {
  let count = 0;
  for (const candidates of instance.items) {
    for (const { kind, node } of candidates) count += node === ANY ? (instance.kinds[kind]?.length ?? 1) : 1;
  }
  return count;
}

function best(instance: Instance, item: number): number {
  return instance.items[item]?.[0]?.value ?? 0;
}

/** Each item's moves, greatest profit first. */
function listMoves(instance: Instance, market: Market, prices: Float64Array): readonly (readonly Move[])[] {
  return market.offers.map((offers) =>
    offers
      .flatMap((offer): Move[] => {
        const { candidate, group } = offer;
        const left = profit(offer, prices);
        if (candidate.kind === ELSEWHERE) return [{ candidate, node: ELSEWHERE, profit: left }];
        if (candidate.node !== ANY) return [{ candidate, node: candidate.node, profit: left }];
        const nodes = (instance.kinds[candidate.kind] ?? []).filter((node) => market.groupOf[node] === group);
        return nodes.map((node) => ({ candidate, node, profit: left }));
      })
      .toSorted((a, b) => b.profit - a.profit || a.candidate.option - b.candidate.option || a.node - b.node),
  );
}

function branchesOf(list: readonly Move[], symmetries: readonly Symmetry[]): readonly Branch[] {
  const positions = new Map(list.map(({ candidate, node }, index) => [`${candidate.option}/${node}`, index]));
  return list.map((move, index) => {
    const images = symmetries.filter(({ image }) => {
      const moved = image.get(move.candidate);
      return moved !== undefined && (positions.get(`${moved.option}/${move.node}`) ?? index) < index;
    });
    return { ...move, images };
  });
}

/** One depth-first search over the items in a given order. */
class Tree {
  readonly #instance: Instance;
  readonly #branches: readonly (readonly Branch[])[];
  readonly #byProfit: readonly (readonly Move[])[];
  readonly #order: readonly number[];
  readonly #placement: Placement;
  readonly #visited: VisitedStates;
  readonly #allRows: number;
  readonly #limit: number;
  /** Only what is worth more than this is of interest, by the rounding of sums. */
  #floor = 0;
  #found: Solution | undefined;
  #stopAtFirst = false;
  #steps = 0;

  constructor(
    instance: Instance,
    moves: readonly (readonly Move[])[],
    prices: Float64Array,
    order: readonly number[],
    limit: number,
  ) {
    this.#instance = instance;
    const symmetries = findSymmetries(instance);
    this.#branches = moves.map((list) => branchesOf(list, symmetries));
    this.#byProfit = moves.map((list) => list.toSorted((a, b) => b.profit - a.profit));
    this.#order = order;
    this.#limit = limit;
    this.#placement = new Placement(instance);
    this.#visited = new VisitedStates(instance, symmetries, order, this.#placement.free);
    this.#allRows = prices.reduce((sum, price) => sum + price, 0);
  }

  get found(): Solution | undefined {
    return this.#found;
  }

  /** Checks made so far. */
  get work(): number {
    return this.#steps + this.#placement.work;
  }

  /** The greatest value, at least `known`; undefined where the work did not suffice. */
  greatest(known: number): number | undefined {
    this.#floor = this.#above(known);
    this.#descend(0, 0, this.#allRows);
    return this.work > this.#limit ? undefined : Math.max(known, this.#found?.value ?? 0);
  }

  /** The first solution of at least this value; undefined where the work did not suffice. */
  first(value: number): Solution | undefined {
    this.#floor = value - this.#grain(value);
    this.#stopAtFirst = true;
    this.#descend(0, 0, this.#allRows);
    return this.#found;
  }

  /** The least value that counts as more than this one. */
  #above(value: number): number {
    return value + this.#grain(value);
  }

  #grain(value: number): number {
    return this.#instance.integral ? 0.5 : 1e-9 * value;
  }

  #descend(depth: number, value: number, bound: number): void {
    const item = this.#order[depth];
    if (item === undefined) {
      if (value < this.#floor) return;
      this.#found = solutionFrom(this.#placement.taken, this.#placement.nodeOf);
      this.#floor = this.#above(value);
      return;
    }
    const rest = this.#hope(depth + 1);
    if (rest === undefined) return;
    if (depth > 1 && depth < this.#order.length - 1) {
      this.#steps += this.#placement.free.length;
      if (this.#visited.known(depth, value)) return;
    }
    const twins = this.#twins();
    for (const { candidate, node, profit: gain, images } of this.#branches[item] ?? []) {
      if (bound + gain + rest < this.#floor) continue;
      if (candidate.kind !== ELSEWHERE) {
        if (candidate.node === ANY && twins[node] === 1) continue;
        if (!this.#placement.fits(candidate, node)) continue;
        if (images.some((symmetry) => this.#unmoved(symmetry, node))) continue;
      }
      this.#placement.put(candidate, node);
      this.#descend(depth + 1, value + candidate.value, bound + gain);
      this.#placement.remove(item);
      if (this.work > this.#limit || (this.#stopAtFirst && this.#found !== undefined)) return;
    }
    if (bound + rest >= this.#floor) this.#descend(depth + 1, value, bound);
  }

  /** The most that the items from this depth on could add to the bound; undefined where the work is spent. */
  #hope(depth: number): number | undefined {
    let sum = 0;
    for (let at = depth; at < this.#order.length; at++) {
      for (const { candidate, node, profit: gain } of this.#byProfit[this.#order[at] ?? 0] ?? []) {
        if (gain <= 0) break;
        if (node !== ELSEWHERE && !this.#placement.fits(candidate, node)) continue;
        sum += gain;
        break;
      }
    }
    return this.work > this.#limit ? undefined : sum;
  }

  /** Marks nodes that are no different from a lower one of their kind. */
  #twins(): Uint8Array {
    const twins = new Uint8Array(this.#instance.kindOf.length);
    for (const nodes of this.#instance.kinds) {
      const seen: number[] = [];
      for (const node of nodes) {
        if (this.#instance.pinned[node] === 1) continue;
        if (seen.some((other) => this.#alike(node, other))) twins[node] = 1;
        else seen.push(node);
      }
    }
    return twins;
  }

  /** Whether the exchange leaves the node's state as it is. */
  #unmoved({ bins }: Symmetry, node: number): boolean {
    const start = this.#instance.binStart[node] ?? 0;
    const { free } = this.#placement;
    return bins.every((bin, index) => free[start + bin] === free[start + index]);
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
}
