import { setTimeout as sleep } from "node:timers/promises";

/** Doubles from `first` to `longest` ms; the same sequence every time, so that a test can follow it. */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #next: number;

  constructor(first: number, longest: number) {
    this.#first = first;
    this.#longest = longest;
    this.#next = first;
  }

  reset(): void {
    this.#next = this.#first;
  }

  /** Waits; ends early, without a word, when the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const delay = this.#next;
    this.#next = Math.min(this.#longest, delay * 2);
    await sleep(delay, undefined, { signal }).catch(() => {});
  }
}
