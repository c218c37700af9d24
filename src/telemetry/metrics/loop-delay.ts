import type { Histogram } from "./series.ts";

const STEP = 500;
/** Steps without a request after which the timer rests. */
const PATIENCE = 20;

/**
 * How late the event loop is for a timer of half a second. The timer runs while requests come and for ten seconds after,
 * so that an idle gateway is not woken for it.
 */
export class LoopDelay {
  readonly #delays: Histogram;
  #timer: NodeJS.Timeout | undefined;
  #expected = 0;
  #idle = 0;

  constructor(delays: Histogram) {
    this.#delays = delays;
  }

  busy(): void {
    this.#idle = 0;
    if (this.#timer !== undefined) return;
    this.#expected = performance.now() + STEP;
    this.#timer = setInterval(() => this.#look(), STEP).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    // Timers of Node are up to a millisecond early.
    this.#delays.observe(Math.max(0, now - this.#expected) / 1000);
    this.#expected = now + STEP;
    if (++this.#idle > PATIENCE) this.stop();
  }
}
