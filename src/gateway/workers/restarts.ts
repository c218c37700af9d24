const FIRST = 100;
const LONGEST = 10_000;
/** A worker that served for so long has proved itself, ms. */
const PROVED = 30_000;

/** When a worker that died is started again: at once the first time, then later and later while it keeps dying. */
export class Restarts {
  #deaths = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Calls `start` after the delay, which is returned, ms. `lived`: how long the one that died had served. */
  after(lived: number, start: () => void): number {
    if (lived >= PROVED) this.#deaths = 0;
    const delay = this.#deaths === 0 ? 0 : Math.min(LONGEST, FIRST * 2 ** (this.#deaths - 1));
    this.#deaths++;
    this.#timer = setTimeout(start, delay);
    return delay;
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
