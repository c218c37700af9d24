/**
 * Bounds retries as a share of the traffic, so that a broken engine is not met with three times the load.
 * Every request earns a fraction of a token, every retry takes a whole one (the scheme of Finagle's RetryBudget);
 * a small refill with time keeps a quiet node able to retry.
 */
export class RetryBudget {
  readonly #capacity: number;
  readonly #perRequest: number;
  readonly #perSecond: number;
  #tokens: number;
  #refilled: number;

  constructor(now: number, capacity = 32, perRequest = 0.2, perSecond = 1) {
    this.#capacity = capacity;
    this.#perRequest = perRequest;
    this.#perSecond = perSecond;
    this.#tokens = capacity;
    this.#refilled = now;
  }

  /** A request came in. */
  earn(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + this.#perRequest);
  }

  /** Takes one retry out of the budget; false when there is none left. `now` is in milliseconds. */
  take(now: number): boolean {
    const seconds = Math.max(0, now - this.#refilled) / 1000;
    this.#refilled = now;
    this.#tokens = Math.min(this.#capacity, this.#tokens + seconds * this.#perSecond);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
