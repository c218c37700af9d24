/** Places that became free lately are remembered up to this number. */
const REMEMBERED = 64;
const SHORTEST = 1;
const LONGEST = 600;

/**
 * How fast places of one service become free, by the last of them, on a clock that stands while nobody is there: an idle
 * hour says nothing. Times are milliseconds of one growing clock.
 */
export class FreeRate {
  readonly #times = new Float64Array(REMEMBERED);
  #count = 0;
  #idle = 0;
  #idleSince: number | undefined = 0;

  /** A request came in after there was none. */
  busy(now: number): void {
    this.#idle += now - (this.#idleSince ?? now);
    this.#idleSince = undefined;
  }

  /** A place became free; `last` when nobody is there any more. */
  freed(now: number, last: boolean): void {
    this.#times[this.#count++ % REMEMBERED] = now - this.#idle;
    if (last) this.#idleSince = now;
  }

  /**
   * Places a millisecond. The time since the last one counts too, so that a service that hangs looks slower with every
   * moment; before the first one, all that is known is that it takes longer than it has taken.
   */
  perMillisecond(now: number): number {
    const clock = (this.#idleSince ?? now) - this.#idle;
    if (this.#count <= REMEMBERED) return Math.max(1, this.#count) / Math.max(1, clock);
    const oldest = this.#times[this.#count % REMEMBERED] ?? 0;
    return (REMEMBERED - 1) / Math.max(1, clock - oldest);
  }
}

/** Whole seconds until `ahead` places have become free at this rate, from 1 to 600. */
export const retryAfter = (ahead: number, perMillisecond: number): number =>
  Math.min(LONGEST, Math.max(SHORTEST, Math.ceil(ahead / perMillisecond / 1000)));
