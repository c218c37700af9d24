/** ms after the first failure, and at most. */
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 60_000;
/** A connection that lived so long, in ms, or answered, has worked: what ended it counts as a first failure. */
const PROVEN_AFTER = 10_000;

/** How an upstream server has done lately; times are ms of a clock that only grows. */
export interface Health {
  /** Failures since it last worked. */
  readonly failures: number;
  /** Not asked again before. */
  readonly until: number;
}

export const CLEAN: Health = { failures: 0, until: 0 };

/**
 * After a start that failed: 1 s, doubled with every failure up to 60 s, less up to half of it by `draw` in [0, 1), so that
 * many nodes do not come back at the same moment.
 */
export function afterFailedStart(health: Health, now: number, draw: number): Health {
  const failures = health.failures + 1;
  const delay = Math.min(FIRST_DELAY * 2 ** Math.min(failures - 1, 16), LONGEST_DELAY);
  return { failures, until: now + delay * (1 - draw / 2) };
}

/**
 * After a connection that ended by itself: one that had worked is replaced at once. One that had not is too, the first time,
 * because what ended it may have been one bad request; then it counts as a failed start.
 */
export function afterLoss(
  health: Health,
  lived: number,
  answered: boolean,
  now: number,
  draw: number,
): Health {
  if (answered || lived >= PROVEN_AFTER) return CLEAN;
  if (health.failures === 0) return { failures: 1, until: now };
  return afterFailedStart(health, now, draw);
}
