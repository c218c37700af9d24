import type { Generation } from "./generation.ts";

/** The bounded row of generations that wait for a sequence: first come, first served. */
export class Admission {
  readonly #limit: number;
  readonly #parallel: number;
  #waiting: Generation[] = [];
  /** Milliseconds that a generation held its sequence, smoothed. */
  #meanDuration: number | undefined;

  constructor(parallel: number, limit: number) {
    this.#parallel = parallel;
    this.#limit = limit;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Whether `more` generations may join while `free` sequences are idle. */
  admits(more: number, free: number): boolean {
    return this.#waiting.length + more <= this.#limit + free;
  }

  push(generation: Generation): void {
    this.#waiting.push(generation);
  }

  peek(): Generation | undefined {
    return this.#waiting[0];
  }

  shift(): Generation | undefined {
    return this.#waiting.shift();
  }

  /** Takes out those that were cancelled while waiting. */
  takeCancelled(): Generation[] {
    if (!this.#waiting.some((one) => one.endRequested !== undefined)) return [];
    const gone = this.#waiting.filter((one) => one.endRequested !== undefined);
    this.#waiting = this.#waiting.filter((one) => one.endRequested === undefined);
    return gone;
  }

  held(milliseconds: number): void {
    this.#meanDuration =
      this.#meanDuration === undefined ? milliseconds : this.#meanDuration * 0.8 + milliseconds * 0.2;
  }

  /** Whole seconds until a place should be free: those ahead, at the measured pace of all sequences together. */
  retryAfter(): number {
    const mean = this.#meanDuration ?? 1000;
    return Math.max(1, Math.ceil((mean * (this.#waiting.length + 1)) / this.#parallel / 1000));
  }
}
