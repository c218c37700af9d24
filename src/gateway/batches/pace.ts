/** Longest pause after a refusal, ms: by then a place may be free all the same. */
const MOST_PAUSE = 60_000;

/**
 * How many requests batches may have under way at one model: one more after so many good answers as there may be at a time, half after a
 * refusal (additive increase, multiplicative decrease, as TCP finds its share), with a pause as long as the refusal asks.
 */
export class Pace {
  limit = 1;
  /** On the clock of whoever gives `now`. */
  pausedUntil = 0;
  readonly #most: number;
  #streak = 0;

  constructor(most: number) {
    this.#most = most;
  }

  succeeded(): void {
    if (++this.#streak < this.limit) return;
    this.#streak = 0;
    this.limit = Math.min(this.#most, this.limit + 1);
  }

  /** `pause` and `now` in milliseconds. Refusals of one moment count once. */
  refused(pause: number, now: number): void {
    if (now >= this.pausedUntil) this.limit = Math.max(1, Math.floor(this.limit / 2));
    this.#streak = 0;
    this.pausedUntil = Math.max(this.pausedUntil, now + Math.min(MOST_PAUSE, pause));
  }
}
