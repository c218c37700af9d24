/** Places that became free lately are remembered up to this number. */
const REMEMBERED = 64;
const SHORTEST = 1;
const LONGEST = 600;

/** How fast places of one service become free, by the last of them. Times are milliseconds of one growing clock. */
export class FreeRate {
  readonly #times = new Float64Array(REMEMBERED);
  #count = 0;
  #busySince = 0;

  /** The first request came in after there was none. */
  busy(now: number): void {
    this.#busySince = now;
  }

  freed(now: number): void {
    this.#times[this.#count++ % REMEMBERED] = now;
  }

  /**
   * Places a millisecond. The time since the last one counts too, so that a service that hangs looks slower with every
   * moment; before the first one, all that is known is that it takes longer than it has taken.
   */
  perMillisecond(now: number): number {
    const known = Math.min(this.#count, REMEMBERED);
    // An idle hour between then and now says nothing about how fast places become free.
    const since = Math.max(
      this.#busySince,
      this.#times[this.#count <= REMEMBERED ? 0 : this.#count % REMEMBERED] ?? 0,
    );
    let counted = 0;
    for (let i = 0; i < known; i++) if ((this.#times[i] ?? 0) >= since) counted++;
    return Math.max(1, counted) / Math.max(1, now - since);
  }
}

/** Whole seconds until `ahead` places have become free at this rate, from 1 to 600. */
export const retryAfter = (ahead: number, perMillisecond: number): number =>
  Math.min(LONGEST, Math.max(SHORTEST, Math.ceil(ahead / perMillisecond / 1000)));
