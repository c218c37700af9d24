import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";
import { withoutSlackBins } from "./demand.ts";
import { withoutDominated } from "./dominance.ts";
import type { Node, Option, Problem } from "./problem.ts";

/** A problem in the form the solvers share. Bins of all nodes are numbered through: those of node n begin at `binStart[n]`. */
export interface Instance {
  readonly capacity: Float64Array;
  readonly binStart: Int32Array;
  readonly kindOf: Int32Array;
  /** Nodes of each kind, ascending. */
  readonly kinds: readonly (readonly number[])[];
  /** What each item may take and could take alone, greatest value first, then in the order of its options. */
  readonly items: readonly (readonly Candidate[])[];
  /** How many items name the node: if any, it is not interchangeable with others of its kind. */
  readonly pinned: Int32Array;
  /** All values are integers, so that a bound may be rounded down. */
  readonly integral: boolean;
}

/**
 * Checks a problem and turns it into the solvers' form. An exclusive bin becomes one that is used whole: since amounts
 * of 0 use nothing, that is the same. Throws `RangeError` where an index, a value or an amount makes no sense.
 */
export function compile(problem: Problem): Instance {
  const { nodes } = problem;
  const kinds: number[][] = [];
  const binStart = new Int32Array(nodes.length + 1);
  const kindOf = new Int32Array(nodes.length);
  const capacity: number[] = [];
  for (const [index, node] of nodes.entries()) {
    requireIndex(node.kind, Number.MAX_SAFE_INTEGER, `kind of node ${node.name}`);
    while (kinds.length <= node.kind) kinds.push([]);
    const alike = kinds[node.kind] ?? [];
    requireSameBins(nodes[alike[0] ?? index] ?? node, node);
    alike.push(index);
    kindOf[index] = node.kind;
    // A bin of 0 can still be held exclusively; 1 lets one item do so, and no amount fits it either way (see below).
    for (const bin of node.bins) capacity.push(Math.max(bin.capacity, 1));
    binStart[index + 1] = capacity.length;
  }
  const pinned = new Int32Array(nodes.length);
  const possible = problem.items.map((item, index) => {
    const candidates: Candidate[] = [];
    for (const [position, option] of item.options.entries()) {
      const found = candidateOf(index, position, option, problem, kinds);
      if (found !== undefined) candidates.push(found);
    }
    return candidates.toSorted((a, b) => b.value - a.value || a.option - b.option);
  });
  const rooms = kinds.map(([first]) =>
    Float64Array.from(nodes[first ?? -1]?.bins ?? [], (bin) => Math.max(bin.capacity, 1)),
  );
  const items = withoutSlackBins(possible, rooms).map(withoutDominated);
  for (const candidates of items) {
    for (const node of new Set(candidates.map((candidate) => candidate.node))) {
      if (node !== ANY) pinned[node] = (pinned[node] ?? 0) + 1;
    }
  }
  const integral = problem.items.every((item) => item.options.every(({ value }) => Number.isInteger(value)));
  return { capacity: Float64Array.from(capacity), binStart, kindOf, kinds, items, pinned, integral };
}

/** The option's needs, or undefined where no empty node could meet them. */
export function candidateOf(
  item: number,
  position: number,
  option: Option,
  { nodes, items }: Problem,
  kinds: readonly (readonly number[])[],
): Candidate | undefined {
  const label = `option ${position} of ${items[item]?.name ?? item}`;
  if (!(option.value > 0 && option.value < Infinity)) throw new RangeError(`${label}: value ${option.value}`);
  const base = { item, option: position, value: option.value };
  if (option.node !== undefined) requireIndex(option.node, nodes.length, `node of ${label}`);
  const kind = option.kind ?? (option.node === undefined ? undefined : nodes[option.node]?.kind);
  if (kind === undefined) return { ...base, kind: ELSEWHERE, node: ANY, bins: [], amounts: [] };
  const node = nodes[option.node ?? kinds[kind]?.[0] ?? -1];
  if (node === undefined || node.kind !== kind) return undefined;
  const needs = new Map<number, number>();
  for (const { bin, amount } of option.uses) {
    requireIndex(bin, node.bins.length, `bin of ${label}`);
    requireIndex(amount, Infinity, `amount of ${label}`);
    if (amount > 0) needs.set(bin, (needs.get(bin) ?? 0) + amount);
  }
  for (const [bin, amount] of needs) if (amount > (node.bins[bin]?.capacity ?? 0)) return undefined;
  for (const bin of option.exclusive ?? []) {
    requireIndex(bin, node.bins.length, `exclusive bin of ${label}`);
    needs.set(bin, Math.max(node.bins[bin]?.capacity ?? 0, 1));
  }
  const sorted = [...needs].toSorted(([a], [b]) => a - b);
  const [bins, amounts] = [sorted.map(([bin]) => bin), sorted.map(([, amount]) => amount)];
  return { ...base, kind, node: option.node ?? ANY, bins, amounts };
}

function requireIndex(value: number, below: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0 || value >= below) throw new RangeError(`${what}: ${value}`);
}

function requireSameBins(first: Node, node: Node): void {
  for (const bin of node.bins)
    requireIndex(bin.capacity, Infinity, `capacity of ${bin.name} of node ${node.name}`);
  const same =
    first.bins.length === node.bins.length &&
    first.bins.every(({ capacity }, index) => node.bins[index]?.capacity === capacity);
  if (!same)
    throw new RangeError(
      `nodes ${first.name} and ${node.name} are of kind ${node.kind}, but their bins differ`,
    );
}
