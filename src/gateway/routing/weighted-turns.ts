/** Somebody who has turns in proportion to a weight. */
export interface TurnTaker {
  readonly service: string;
  readonly weight: number;
}

/**
 * Whose turn it is, by smooth weighted round robin: each is owed its weight with every turn, who is owed most has it and
 * pays for all. In any run of turns as long as the sum of the weights everybody has exactly its weight, evenly spread. A
 * taker that was away is owed nothing for that time. `owed` is kept by the caller and changed here.
 */
export function takeTurn<T extends TurnTaker>(
  owed: Map<string, number>,
  takers: readonly T[],
): T | undefined {
  let next: T | undefined;
  let most = -Infinity;
  let sum = 0;
  for (const taker of takers) {
    if (taker.weight <= 0) continue;
    const now = (owed.get(taker.service) ?? 0) + taker.weight;
    owed.set(taker.service, now);
    sum += taker.weight;
    if (now > most) {
      most = now;
      next = taker;
    }
  }
  if (next === undefined) return takers[0];
  owed.set(next.service, most - sum);
  return next;
}
