/** How consecutive slots are to be divided over cards in order. Bytes. */
export interface SplitProblem {
  readonly slots: number;
  /** What each card can give. */
  readonly capacities: readonly number[];
  /** What the card takes with slots `from` up to `to`; more slots never take less. */
  readonly bytes: (card: number, from: number, to: number) => number;
}

const ROUNDS = 20;

/**
 * Slots of each card such that the fullest card is as empty as can be, relative to what it can give; `undefined` when no
 * division fits. Cards that are filled in order up to a share of their capacity cover all slots at that share exactly
 * when any division does, so a search over the share is exact.
 */
export function balancedSplit(problem: SplitProblem): number[] | undefined {
  let best = filled(problem, 1);
  if (best === undefined) return undefined;
  let low = 0;
  let high = fullest(problem, best);
  for (let round = 0; round < ROUNDS && high - low > 1e-6; round++) {
    const middle = (low + high) / 2;
    const counts = filled(problem, middle);
    if (counts === undefined) low = middle;
    else {
      best = counts;
      high = Math.min(middle, fullest(problem, counts));
    }
  }
  return best;
}

/** Whether any division fits. */
export const canSplit = (problem: SplitProblem): boolean => filled(problem, 1) !== undefined;

/**
 * A division for showing by how much it fails: the fullest card as little over its capacity as can be. `undefined` when
 * a card cannot even take its part without slots.
 */
export function leastOverfullSplit(problem: SplitProblem): number[] {
  let high = 1;
  while (filled(problem, high) === undefined && high < 2 ** 30) high *= 2;
  const capacities = problem.capacities.map((capacity) => Math.max(1, capacity) * high);
  return balancedSplit({ ...problem, capacities }) ?? evenSplit(problem);
}

function evenSplit({ slots, capacities }: SplitProblem): number[] {
  const cards = capacities.length;
  return capacities.map(
    (_, card) => Math.floor(((card + 1) * slots) / cards) - Math.floor((card * slots) / cards),
  );
}

/** Share of its capacity that the fullest card takes. */
function fullest({ capacities, bytes }: SplitProblem, counts: readonly number[]): number {
  let from = 0;
  let share = 0;
  for (const [card, capacity] of capacities.entries()) {
    const to = from + (counts[card] ?? 0);
    share = Math.max(share, bytes(card, from, to) / Math.max(1, capacity));
    from = to;
  }
  return share;
}

/** Fills the cards in order, each with as many slots as `share` of its capacity takes. */
function filled({ slots, capacities, bytes }: SplitProblem, share: number): number[] | undefined {
  const counts: number[] = [];
  let from = 0;
  for (const [card, capacity] of capacities.entries()) {
    const room = capacity * share;
    if (bytes(card, from, from) > room) return undefined;
    let low = from;
    let high = slots;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (bytes(card, from, middle) <= room) low = middle;
      else high = middle - 1;
    }
    counts.push(low - from);
    from = low;
  }
  return from === slots ? counts : undefined;
}
