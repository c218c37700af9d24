import type { Candidate } from "./candidate.ts";

/** Items on a node that count as one: a set of which one is loaded at a time, or a single item. */
export interface Turn {
  readonly members: readonly Candidate[];
  /** By bin of the node, the most that any member takes. */
  readonly need: Float64Array;
  readonly value: number;
  /** Others may join. */
  readonly open: boolean;
}

/** A bin that is short of what a candidate takes. */
interface ShortBin {
  readonly bin: number;
  readonly amount: number;
  /** What the turns take beyond its capacity; negative is what they leave. */
  readonly excess: number;
}

/** Turns up to which all ways to merge are compared; beyond, they are left out one by one. */
const MOST_COMPARED = 10;

/** Counts these members, on a node with so many bins, as one. */
export function turnOf(bins: number, members: readonly Candidate[], open: boolean): Turn {
  const need = new Float64Array(bins);
  let value = 0;
  for (const member of members) {
    value += member.value;
    for (const [index, bin] of member.bins.entries()) {
      need[bin] = Math.max(need[bin] ?? 0, member.amounts[index] ?? 0);
    }
  }
  return { members, need, value, open };
}

/**
 * The open turns of a node with which a candidate has to take turns so that everything fits: those in which the fewest
 * and then the least valuable items lose a place of their own. At least one; undefined where even all would not do.
 */
export function cheapestMerge(
  capacity: Float64Array,
  turns: readonly Turn[],
  candidate: Candidate,
): readonly Turn[] | undefined {
  // The more turns are merged the less is needed, and only bins matter that would be short without.
  const short = candidate.bins.flatMap((bin, index): ShortBin[] => {
    const taken = turns.reduce((sum, turn) => sum + (turn.need[bin] ?? 0), 0);
    const amount = candidate.amounts[index] ?? 0;
    return taken + amount > (capacity[bin] ?? 0)
      ? [{ bin, amount, excess: taken - (capacity[bin] ?? 0) }]
      : [];
  });
  const open = turns.filter((turn) => turn.open);
  const fits = (merged: readonly Turn[]): boolean => short.every((bin) => isEnough(bin, merged));
  if (open.length === 0 || !fits(open)) return undefined;
  const useful = open.filter((turn) => short.some(({ bin }) => (turn.need[bin] ?? 0) > 0));
  const cheapFirst = (useful.length > 0 ? useful : open).toSorted((a, b) => {
    const [[count, value], [otherCount, otherValue]] = [disturbedBy([a]), disturbedBy([b])];
    return count - otherCount || value - otherValue || (a.members[0]?.item ?? 0) - (b.members[0]?.item ?? 0);
  });
  if (useful.length === 0) return cheapFirst.slice(0, 1);
  return cheapFirst.length > MOST_COMPARED ? trimmed(cheapFirst, fits) : cheapestSubset(cheapFirst, fits);
}

/**
 * Number of items that share a place from now on with more than before, and what these are worth: all but the members
 * of the largest set, which only get one more.
 */
export function disturbedBy(merged: readonly Turn[]): readonly [count: number, value: number] {
  const sets = merged.filter(({ members }) => members.length > 1);
  const joined = sets.reduce<Turn | undefined>(
    (largest, set) => (set.members.length > (largest?.members.length ?? 0) ? set : largest),
    undefined,
  );
  let [count, value] = [0, 0];
  for (const turn of merged) {
    if (turn === joined) continue;
    count += turn.members.length;
    value += turn.value;
  }
  return [count, value];
}

/** Whether the most of the candidate and the merged turns is no more than the latter free and the bin has left. */
function isEnough({ bin, amount, excess }: ShortBin, merged: readonly Turn[]): boolean {
  let freed = 0;
  let most = amount;
  for (const { need } of merged) {
    const part = need[bin] ?? 0;
    freed += part;
    if (part > most) most = part;
  }
  return excess + most <= freed;
}

/** Leaves out the dearest as long as the rest is enough. */
function trimmed(cheapFirst: readonly Turn[], fits: (merged: readonly Turn[]) => boolean): readonly Turn[] {
  let merged = cheapFirst;
  for (const turn of cheapFirst.toReversed()) {
    const without = merged.filter((other) => other !== turn);
    if (without.length > 0 && fits(without)) merged = without;
  }
  return merged;
}

/** Of all subsets that are enough, the one that takes a place from the fewest and then the least valuable items. */
function cheapestSubset(
  cheapFirst: readonly Turn[],
  fits: (merged: readonly Turn[]) => boolean,
): readonly Turn[] | undefined {
  let best: readonly Turn[] | undefined;
  let least = [Infinity, Infinity, Infinity];
  for (let mask = 1; mask < 1 << cheapFirst.length; mask++) {
    const merged = cheapFirst.filter((_, index) => ((mask >> index) & 1) === 1);
    const cost = [...disturbedBy(merged), merged.length];
    const at = cost.findIndex((part, index) => part !== least[index]);
    if (at < 0 || (cost[at] ?? 0) > (least[at] ?? 0) || !fits(merged)) continue;
    best = merged;
    least = cost;
  }
  return best;
}
