import type { Candidate } from "./candidate.ts";
import type { Instance } from "./instance.ts";

/** An exchange of bins of a kind of node that no item can tell: equal cards, equal pairs of cards. */
export interface Symmetry {
  readonly kind: number;
  /** Bin at the place of each bin after the exchange; itself for all others. */
  readonly bins: readonly number[];
  /** The same candidate after the exchange. */
  readonly image: ReadonlyMap<Candidate, Candidate>;
}

/** Blocks of adjacent bins that are exchanged: single cards, and runs as options of tensor parallelism use them. */
const BLOCKS = [1, 2, 4];

/** Exchanges of two blocks of bins of equal capacities after which each item has the same options as before. */
export function findSymmetries(instance: Instance): readonly Symmetry[] {
  return [...instance.kinds.keys()].flatMap((kind) => {
    const node = instance.kinds[kind]?.[0];
    if (node === undefined) return [];
    const capacity = instance.capacity.subarray(instance.binStart[node], instance.binStart[node + 1]);
    return exchanges(capacity).flatMap((bins): Symmetry[] => {
      const image = imagesOf(instance, kind, bins);
      return image === undefined ? [] : [{ kind, bins, image }];
    });
  });
}

function exchanges(capacity: Float64Array): readonly (readonly number[])[] {
  const identity = [...capacity.keys()];
  const found: number[][] = [];
  for (const size of BLOCKS) {
    for (let one = 0; one + size <= capacity.length; one += size) {
      for (let other = one + size; other + size <= capacity.length; other += size) {
        const bins = identity.map((bin) => {
          if (bin >= one && bin < one + size) return bin - one + other;
          return bin >= other && bin < other + size ? bin - other + one : bin;
        });
        if (bins.every((bin, index) => capacity[bin] === capacity[index])) found.push(bins);
      }
    }
  }
  return found;
}

/** What each candidate of the kind becomes; undefined where one becomes something that its item may not take. */
function imagesOf(
  instance: Instance,
  kind: number,
  bins: readonly number[],
): Map<Candidate, Candidate> | undefined {
  const image = new Map<Candidate, Candidate>();
  for (const candidates of instance.items) {
    const own = candidates.filter((candidate) => candidate.kind === kind);
    const known = new Map(own.map((candidate) => [keyOf(candidate, undefined), candidate]));
    for (const candidate of own) {
      const moved = known.get(keyOf(candidate, bins));
      if (moved === undefined) return undefined;
      image.set(candidate, moved);
    }
  }
  return image;
}

function keyOf({ value, node, bins, amounts }: Candidate, moved: readonly number[] | undefined): string {
  const uses = bins.map((bin, index) => ({ bin: moved?.[bin] ?? bin, amount: amounts[index] ?? 0 }));
  const sorted = uses.toSorted((a, b) => a.bin - b.bin).map(({ bin, amount }) => `${bin}:${amount}`);
  return `${value}@${node} ${sorted.join(" ")}`;
}
