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

/** Nodes of a kind that get a price of their own where this many items name them; more only cost time. */
const OWN_PRICE = 8;
const CONTENDED = 2;

/**
 * Dual feasible functions of Fekete and Schepers (2001), u^(k): whatever fits a bin as amounts x of 1 also fits it as
 * u^(k)(x). They see what sums over many bins cannot: that two items of 5/8 do not share one.
 */
const STEPS = [1, 2, 3, 4];

interface Group {
  readonly node: number;
  readonly size: number;
  readonly firstRow: number;
}

/**
 * Groups the nodes by price, each node alone or all of a kind together, and lists what each candidate takes of each
 * group's rows: per bin one for the amount, and one for each step that says more.
 */
export function openMarket(instance: Instance, grouping: "by node" | "by kind" = "by kind"): Market {
  const steps = usefulSteps(instance);
  const groups: Group[][] = [];
  const groupOf = new Map<number, Group>();
  let rowCount = 0;
  for (const [kind, nodes] of instance.kinds.entries()) {
    const perNode = (steps[kind] ?? []).reduce((sum, ofBin) => sum + ofBin.length, 0);
    const ofKind = groupsOf(instance, nodes, grouping).map((group): Group => {
      rowCount += perNode;
      return { ...group, firstRow: rowCount - perNode };
    });
    for (const group of ofKind) groupOf.set(group.node, group);
    groups.push(ofKind);
  }
  const offers = instance.items.map((candidates) =>
    candidates.flatMap((candidate): readonly Offer[] => {
      if (candidate.kind === ELSEWHERE) return [{ candidate, node: ELSEWHERE, rows: [], shares: [] }];
      const ofKind = groups[candidate.kind] ?? [];
      const named = groupOf.get(candidate.node) ?? ofKind.at(-1);
      const places = candidate.node === ANY || named === undefined ? ofKind : [named];
      const { rows, shares } = takes(instance, candidate, steps[candidate.kind] ?? []);
      return places.map(({ node, size, firstRow }) => ({
        candidate,
        node,
        rows: rows.map((row) => firstRow + row),
        shares: shares.map((share) => share / size),
      }));
    }),
  );
  return { offers, rowCount };
}

/** What the candidate takes of the rows of one node. */
function takes(
  { capacity, binStart, kinds }: Instance,
  { kind, bins, amounts }: Candidate,
  steps: readonly (readonly number[])[],
): { readonly rows: readonly number[]; readonly shares: readonly number[] } {
  const start = binStart[kinds[kind]?.[0] ?? 0] ?? 0;
  const rows: number[] = [];
  const shares: number[] = [];
  let [at, row] = [0, 0];
  for (const [bin, ofBin] of steps.entries()) {
    if (bins[at] === bin) {
      const amount = amounts[at++] ?? 0;
      for (const [index, step] of ofBin.entries()) {
        const share = stepped(amount, capacity[start + bin] ?? 1, step);
        if (share === 0) continue;
        rows.push(row + index);
        shares.push(share);
      }
    }
    row += ofBin.length;
  }
  return { rows, shares };
}

/** Nodes with one price; those that share one come last. */
function groupsOf(
  { pinned }: Instance,
  nodes: readonly number[],
  grouping: "by node" | "by kind",
): readonly Omit<Group, "firstRow">[] {
  const contended = nodes.filter((node) => (pinned[node] ?? 0) >= CONTENDED);
  const own = grouping === "by node" ? nodes : contended.slice(0, OWN_PRICE);
  const alone = new Set(own);
  const shared = nodes.filter((node) => !alone.has(node));
  const groups = own.map((node) => ({ node, size: 1 }));
  const [first] = shared;
  return first === undefined ? groups : [...groups, { node: first, size: shared.length }];
}

/** By kind and bin, 0 for the amount itself and the steps at which some candidate counts for more than its amount. */
function usefulSteps(instance: Instance): readonly (readonly (readonly number[])[])[] {
  const found = instance.kinds.map(([node]) => {
    const bins = node === undefined ? 0 : (instance.binStart[node + 1] ?? 0) - (instance.binStart[node] ?? 0);
    return Array.from({ length: bins }, () => new Set([0]));
  });
  for (const candidates of instance.items) {
    for (const { kind, bins, amounts } of candidates) {
      const start = instance.binStart[instance.kinds[kind]?.[0] ?? 0] ?? 0;
      for (const [index, bin] of bins.entries()) {
        const capacity = instance.capacity[start + bin] ?? 1;
        const amount = amounts[index] ?? 0;
        const useful = found[kind]?.[bin];
        for (const step of STEPS) if (stepped(amount, capacity, step) > amount / capacity) useful?.add(step);
      }
    }
  }
  return found.map((ofKind) => ofKind.map((useful) => [...useful].toSorted((a, b) => a - b)));
}

function stepped(amount: number, capacity: number, k: number): number {
  if (k === 0 || ((k + 1) * amount) % capacity === 0) return amount / capacity;
  return Math.floor(((k + 1) * amount) / capacity) / k;
}
