import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";
import type { Instance } from "./instance.ts";

/** A candidate on one group of nodes that have one price, and what it takes of the priced rows (1 = all of the group). */
export interface Offer {
  readonly candidate: Candidate;
  /** First node of the group; `ELSEWHERE` without nodes. */
  readonly node: number;
  readonly rows: readonly number[];
  readonly shares: readonly number[];
}

/** Offers of all items, and the groups of nodes behind them. */
export interface Market {
  readonly offers: readonly (readonly Offer[])[];
  readonly rowCount: number;
}

/** Nodes of a kind that get a price of their own for being named by an option; more only cost time. */
const OWN_PRICE = 8;

/**
 * Dual feasible functions of Fekete and Schepers (2001), u^(k): whatever fits a bin as amounts x of 1 also fits it as
 * u^(k)(x). They see what sums over many bins cannot: that two items of 5/8 do not share one.
 */
const STEPS = [1, 2, 3, 4];

interface Group {
  readonly node: number;
  readonly size: number;
}

/**
 * Groups the nodes by price, each node alone or all of a kind together, and lists what each candidate takes of each
 * group's rows: per bin one for the amount, and one for each step that says more.
 */
export function openMarket(instance: Instance, grouping: "by node" | "by kind" = "by kind"): Market {
  const steps = usefulSteps(instance);
  const groups = instance.kinds.map((nodes) => groupsOf(instance, nodes, grouping));
  const groupOf = new Map(groups.flat().map((group) => [group.node, group]));
  const rowOf = new Map<string, number>();
  const row = (key: string): number => {
    const known = rowOf.get(key) ?? rowOf.size;
    rowOf.set(key, known);
    return known;
  };
  const offer = (candidate: Candidate, { node, size }: Group): Offer => {
    const rows: number[] = [];
    const shares: number[] = [];
    for (const [index, bin] of candidate.bins.entries()) {
      const capacity = instance.capacity[(instance.binStart[node] ?? 0) + bin] ?? 1;
      for (const step of [0, ...(steps[candidate.kind]?.[bin] ?? [])]) {
        const share = stepped(candidate.amounts[index] ?? 0, capacity, step);
        if (share === 0) continue;
        rows.push(row(`${node}/${bin}/${step}`));
        shares.push(share / size);
      }
    }
    return { candidate, node, rows, shares };
  };
  const offers = instance.items.map((candidates) =>
    candidates.flatMap((candidate) => {
      if (candidate.kind === ELSEWHERE) return [{ candidate, node: ELSEWHERE, rows: [], shares: [] }];
      const ofKind = groups[candidate.kind] ?? [];
      if (candidate.node === ANY) return ofKind.map((group) => offer(candidate, group));
      const group = groupOf.get(candidate.node) ?? ofKind.at(-1);
      return group === undefined ? [] : [offer(candidate, group)];
    }),
  );
  return { offers, rowCount: rowOf.size };
}

/** Nodes with one price; those that share one come last. */
function groupsOf(
  { pinned }: Instance,
  nodes: readonly number[],
  grouping: "by node" | "by kind",
): readonly Group[] {
  const own = grouping === "by node" ? nodes : nodes.filter((node) => pinned[node] === 1).slice(0, OWN_PRICE);
  const alone = new Set(own);
  const shared = nodes.filter((node) => !alone.has(node));
  const groups = own.map((node) => ({ node, size: 1 }));
  const [first] = shared;
  return first === undefined ? groups : [...groups, { node: first, size: shared.length }];
}

/** By kind and bin, the steps at which some candidate counts for more than its amount. */
function usefulSteps(instance: Instance): readonly (readonly (readonly number[])[])[] {
  const found = instance.kinds.map((): number[][] => []);
  for (const { kind, bins, amounts } of instance.items.flat()) {
    const start = instance.binStart[instance.kinds[kind]?.[0] ?? 0] ?? 0;
    for (const [index, bin] of bins.entries()) {
      const capacity = instance.capacity[start + bin] ?? 1;
      const amount = amounts[index] ?? 0;
      const steps = found[kind]?.[bin] ?? [];
      for (const step of STEPS) {
        if (!steps.includes(step) && stepped(amount, capacity, step) > amount / capacity) steps.push(step);
      }
      const ofKind = found[kind];
      if (ofKind !== undefined) ofKind[bin] = steps;
    }
  }
  return found;
}

function stepped(amount: number, capacity: number, k: number): number {
  if (k === 0 || ((k + 1) * amount) % capacity === 0) return amount / capacity;
  return Math.floor(((k + 1) * amount) / capacity) / k;
}
