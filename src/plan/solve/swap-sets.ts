import { ANY, type Candidate } from "./candidate.ts";
import { type Instance, candidateOf, compile } from "./instance.ts";
import type { Problem, Solution, Use } from "./problem.ts";
import { type Turn, cheapestMerge, disturbedBy, turnOf } from "./turns.ts";

/** Items on one node that take turns: one of them is loaded at a time. */
export interface SwapAssignment {
  /** Index of the node. */
  readonly node: number;
  /** Two or more, in the order of the items. */
  readonly members: readonly { readonly item: number; readonly option: number }[];
  /** What the set keeps of each bin: the most of any member. */
  readonly reserve: readonly Use[];
}

export interface SwapRules {
  /** The item may be unloaded for another and loaded again. */
  readonly mayShare: (item: number) => boolean;
  /** The item stays loaded whatever else is asked for. */
  readonly pinned: (item: number) => boolean;
}

/** A way for an item to take turns, and what it costs others. */
interface Joining {
  readonly candidate: Candidate;
  readonly node: number;
  readonly merged: readonly Turn[];
  /** Number of items disturbed, their values, the item's own value negated, members that the set would have. */
  readonly cost: readonly number[];
}

/**
 * Lets items without a choice take turns with placed ones, the most valuable first. Each joins a set or forms one where
 * the most of any member fits beside all that is outside the set: there where the fewest and then the least valuable
 * items lose a place of their own, then with its option of greatest value. At every moment, whichever member of each
 * set is loaded, no bin is over capacity and no exclusive bin shared. Throws `RangeError` as `solve` does.
 */
export function findSwapSets(
  problem: Problem,
  solution: Solution,
  rules: SwapRules,
): readonly SwapAssignment[] {
  const instance = compile(problem);
  const open = (item: number): boolean => rules.mayShare(item) && !rules.pinned(item);
  const turns = problem.nodes.map((): Turn[] => []);
  for (const [item, choice] of solution.choices.entries()) {
    const option = choice === undefined ? undefined : problem.items[item]?.options[choice.option];
    if (choice?.node === undefined || option === undefined) continue;
    const candidate = candidateOf(item, choice.option, option, problem, instance.kinds);
    if (candidate !== undefined)
      turns[choice.node]?.push(turnOf(binsOf(instance, choice.node), [candidate], open(item)));
  }
  const best = (item: number): number => instance.items[item]?.[0]?.value ?? 0;
  const waiting = [...instance.items.keys()]
    .filter((item) => solution.choices[item] === undefined && open(item))
    .toSorted((a, b) => best(b) - best(a) || a - b);
  for (const item of waiting) {
    const joining = cheapestJoining(instance, turns, item);
    if (joining === undefined) continue;
    const { candidate, node, merged } = joining;
    const members = [...merged.flatMap((turn) => turn.members), candidate];
    const others = (turns[node] ?? []).filter((turn) => !merged.includes(turn));
    turns[node] = [...others, turnOf(binsOf(instance, node), members, true)];
  }
  return turns.flatMap((onNode, node) =>
    onNode
      .filter(({ members }) => members.length > 1)
      .map(({ members }) => assignmentOf(problem, node, members)),
  );
}

function cheapestJoining(
  instance: Instance,
  turns: readonly (readonly Turn[])[],
  item: number,
): Joining | undefined {
  let cheapest: Joining | undefined;
  for (const candidate of instance.items[item] ?? []) {
    const nodes = candidate.node === ANY ? (instance.kinds[candidate.kind] ?? []) : [candidate.node];
    for (const node of nodes) {
      const onNode = turns[node] ?? [];
      if (!onNode.some((turn) => turn.open)) continue;
      const merged = cheapestMerge(capacities(instance, node), onNode, candidate);
      if (merged === undefined) continue;
      const size = merged.reduce((sum, turn) => sum + turn.members.length, 1);
      const joining = { candidate, node, merged, cost: [...disturbedBy(merged), -candidate.value, size] };
      if (cheapest === undefined || isLess(joining.cost, cheapest.cost)) cheapest = joining;
    }
  }
  return cheapest;
}

/** Compares number by number; the first difference decides. */
function isLess(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((number, index) => number !== other[index]);
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0);
}

function binsOf({ binStart }: Instance, node: number): number {
  return (binStart[node + 1] ?? 0) - (binStart[node] ?? 0);
}

function capacities({ binStart, capacity }: Instance, node: number): Float64Array {
  return capacity.subarray(binStart[node], binStart[node + 1]);
}

function assignmentOf(problem: Problem, node: number, candidates: readonly Candidate[]): SwapAssignment {
  const members = candidates
    .map(({ item, option }) => ({ item, option }))
    .toSorted((a, b) => a.item - b.item);
  const most = new Map<number, number>();
  for (const { item, option } of members) {
    for (const { bin, amount } of problem.items[item]?.options[option]?.uses ?? []) {
      most.set(bin, Math.max(most.get(bin) ?? 0, amount));
    }
  }
  const reserve = [...most].map(([bin, amount]) => ({ bin, amount })).toSorted((a, b) => a.bin - b.bin);
  return { node, members, reserve };
}
