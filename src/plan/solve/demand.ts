import { type Candidate, ELSEWHERE } from "./candidate.ts";

/** By kind of node and bin: what items could take of it together at most. */
export type Demand = readonly (readonly number[])[];

/** Adds the most that one item could take of each bin. */
export function withDemandOf(candidates: readonly Candidate[], demand: Demand): Demand {
  const most = demand.map((): number[] => []);
  for (const { kind, bins, amounts } of candidates) {
    const ofKind = most[kind];
    if (kind === ELSEWHERE || ofKind === undefined) continue;
    for (let i = 0; i < bins.length; i++) {
      const bin = bins[i] ?? 0;
      ofKind[bin] = Math.max(ofKind[bin] ?? 0, amounts[i] ?? 0);
    }
  }
  return demand.map((before, kind) =>
    Array.from({ length: Math.max(before.length, most[kind]?.length ?? 0) }, (_, bin) => {
      return (before[bin] ?? 0) + (most[kind]?.[bin] ?? 0);
    }),
  );
}

/** Leaves out the needs that no choice of the items could make short: bins with room for everything. */
export function withoutSlackBins(
  items: readonly (readonly Candidate[])[],
  capacities: readonly Float64Array[],
): readonly (readonly Candidate[])[] {
  let demand: Demand = capacities.map(() => []);
  for (const candidates of items) demand = withDemandOf(candidates, demand);
  const short = demand.map((ofKind, kind) =>
    ofKind.map((amount, bin) => amount > (capacities[kind]?.[bin] ?? 0)),
  );
  return items.map((candidates) =>
    candidates.map((candidate) => {
      const kept = [...candidate.bins.keys()].filter(
        (index) => short[candidate.kind]?.[candidate.bins[index] ?? 0],
      );
      if (kept.length === candidate.bins.length) return candidate;
      const bins = kept.map((index) => candidate.bins[index] ?? 0);
      return { ...candidate, bins, amounts: kept.map((index) => candidate.amounts[index] ?? 0) };
    }),
  );
}
