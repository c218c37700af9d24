import { type Candidate, ELSEWHERE } from "./candidate.ts";
import type { Instance } from "./instance.ts";
import type { Placement } from "./placement.ts";
import type { Random } from "./random.ts";
import { Round } from "./round.ts";

export interface Effort {
  /** Value at which to stop: a proven bound. */
  readonly limit: number;
  /** Checks of a candidate against a node. */
  readonly work: number;
  readonly random: Random;
}

/** Rounds without a better solution after which it ends: a base, and so many more for each item. */
const PATIENCE = 1_500;
const PATIENCE_PER_ITEM = 60;
/**
 * How much a round may lose at first, as a share of the largest value, times the number of items; at most half. Small
 * problems need leaps to leave a local optimum, in large ones some part always does.
 */
const SWING = 6;

/** How often it scatters half of the items and begins again while work is left. */
const STARTS = 4;

/**
 * Improves a placement by rounds of ruin and recreate (Schrimpf and others 2000): some items leave, these and some that
 * have less than their best are put back in another order. A round that loses is undone, unless it loses less than a
 * threshold that falls to nothing. Leaves the best placement seen.
 */
export function exchange(
  instance: Instance,
  placement: Placement,
  { limit, work, random }: Effort,
  ranked: readonly (readonly Candidate[])[],
): void {
  const round = new Round(instance, placement, random, ranked);
  const count = instance.items.length;
  const largest = instance.items.reduce((most, candidates) => Math.max(most, candidates[0]?.value ?? 0), 0);
  const swing = largest * Math.min(0.5, SWING / count);
  const patience = PATIENCE + PATIENCE_PER_ITEM * count;
  const end = placement.work + work;
  let best = snapshot(placement);
  let { value } = best;
  for (let start = 0; start < STARTS; start++) {
    if (start > 0) value += round.scatter();
    for (let idle = 0; idle < patience; idle++) {
      if (best.value >= limit || placement.work >= end) return restore(instance, placement, best);
      const gain = round.play();
      const tolerance = (swing * random.below(1_024) * (1 - idle / patience)) / 1_024;
      if (gain < -tolerance) {
        round.undo();
        continue;
      }
      value += gain;
      if (value <= best.value * (1 + 1e-9)) continue;
      best = snapshot(placement);
      idle = 0;
    }
  }
  restore(instance, placement, best);
}

interface Snapshot {
  readonly value: number;
  readonly taken: readonly (Candidate | undefined)[];
  readonly nodeOf: Int32Array;
}

function snapshot({ taken, nodeOf }: Placement): Snapshot {
  const value = taken.reduce((sum, candidate) => sum + (candidate?.value ?? 0), 0);
  return { value, taken: [...taken], nodeOf: Int32Array.from(nodeOf) };
}

function restore(instance: Instance, placement: Placement, { taken, nodeOf }: Snapshot): void {
  for (const item of instance.items.keys()) placement.remove(item);
  for (const [item, candidate] of taken.entries()) {
    if (candidate !== undefined) placement.put(candidate, nodeOf[item] ?? ELSEWHERE);
  }
}
