import { ANY } from "./candidate.ts";
import type { Instance } from "./instance.ts";
import type { Market, Offer } from "./market.ts";
import type { Symmetry } from "./symmetry.ts";

/** One candidate on one node, and the symmetries by which it is the same as an earlier one of its item's list. */
export interface Branch extends Offer {
  readonly images: readonly Symmetry[];
}

/** How many branches all items have together. */
export function countBranches(instance: Instance): number {
  let count = 0;
  for (const candidates of instance.items) {
    for (const { kind, node } of candidates) count += node === ANY ? (instance.kinds[kind]?.length ?? 1) : 1;
  }
  return count;
}

/** Each item's branches in this order; what it leaves equal comes by option, then by node. The market is by node. */
export function branchesOf(
  instance: Instance,
  market: Market,
  symmetries: readonly Symmetry[],
  compare: (a: Offer, b: Offer) => number,
): readonly (readonly Branch[])[] {
  return instance.items.map((_, item) => {
    const offers = market.offers[item] ?? [];
    const list = offers.toSorted(
      (a, b) => compare(a, b) || a.candidate.option - b.candidate.option || a.node - b.node,
    );
    const positions = new Map(
      list.map(({ candidate, node }, index) => [`${candidate.option}/${node}`, index]),
    );
    return list.map((offer, index): Branch => {
      const images = symmetries.filter(({ image }) => {
        const moved = image.get(offer.candidate);
        return moved !== undefined && (positions.get(`${moved.option}/${offer.node}`) ?? index) < index;
      });
      return { ...offer, images };
    });
  });
}
