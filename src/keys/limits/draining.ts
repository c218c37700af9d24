/**
 * What is used of an allowance that comes back evenly: a token bucket, counted from below. It may be more than the limit
 * (a debt, when an answer was longer than expected), and then delays what follows. In any window of `t` milliseconds at
 * most `limit × (1 + t / span)` are given out, beside debts.
 */
export interface Draining {
  used: number;
  /** When `used` was right, milliseconds of a clock that never goes back. */
  at: number;
}

/** A minute, in milliseconds: the span over which a limit a minute comes back. */
export const MINUTE = 60_000;

/** Brings the count to `now` and returns it. A clock that went back lets nothing come back. */
export function drain(draining: Draining, limit: number, now: number, span = MINUTE): number {
  const elapsed = now - draining.at;
  if (elapsed > 0) {
    draining.used = Math.max(0, draining.used - (limit / span) * elapsed);
    draining.at = now;
  }
  return draining.used;
}

/** Milliseconds until `amount` more fits below the limit, from the moment the count is right for; 0 when it does. */
export const waitFor = (used: number, amount: number, limit: number, span = MINUTE): number =>
  Math.max(0, ((used + amount - limit) * span) / limit);

/**
 * Of `amount` promised `since` milliseconds ago and not used: what may be given back. The rest has drained already, and
 * giving it back would free what others use now.
 */
export const givenBack = (amount: number, limit: number, since: number, span = MINUTE): number =>
  Math.max(0, amount - (limit / span) * since);
