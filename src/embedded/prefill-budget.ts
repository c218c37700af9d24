/** Prompt tokens in the first batch, before anything was measured. */
const FIRST = 64;
const LEAST = 16;
/** How long a batch may take: short while others wait for their next token, longer when only prompts are read. */
const SHARED_MS = 150;
const ALONE_MS = 500;

/**
 * Decides how many prompt tokens one batch may hold, so that a long prompt neither stalls the streams of others
 * nor keeps the engine from noticing that its client hung up. Learns the speed from the batches themselves.
 */
export class PrefillBudget {
  readonly #most: number;
  /** Tokens per millisecond, smoothed. */
  #rate: number | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  tokens(othersGenerating: boolean): number {
    if (this.#rate === undefined) return Math.min(FIRST, this.#most);
    const wanted = Math.floor(this.#rate * (othersGenerating ? SHARED_MS : ALONE_MS));
    return Math.max(Math.min(LEAST, this.#most), Math.min(wanted, this.#most));
  }

  /** Tells what a batch of this many tokens took. Small batches say little and are ignored. */
  measured(tokens: number, milliseconds: number): void {
    if (tokens < LEAST || milliseconds <= 0) return;
    const rate = tokens / milliseconds;
    this.#rate = this.#rate === undefined ? rate : this.#rate * 0.7 + rate * 0.3;
  }
}
