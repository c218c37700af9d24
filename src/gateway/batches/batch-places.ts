import type { FreePlaces } from "./free-places.ts";
import type { Pace } from "./pace.ts";

/** How often it is looked for free places while somebody waits for one, ms; never while nobody does. */
const LOOK_EVERY = 250;

interface Waiting {
  readonly model: string;
  enter(): void;
}

/** Lets requests of batches begin, in order of arrival, while there is room for them. */
export class BatchPlaces {
  readonly #free: FreePlaces;
  readonly #pace: Pace;
  readonly #now: () => number;
  readonly #waiting = new Set<Waiting>();
  /** Requests under way by model. */
  readonly #running = new Map<string, number>();
  #all = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(free: FreePlaces, pace: Pace, now: () => number) {
    this.#free = free;
    this.#pace = pace;
    this.#now = now;
  }

  /** Resolves when a request may begin, with what is to be called when it has ended. Rejects when `signal` aborts. */
  enter(model: string, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new Error("no longer wanted"));
      const abort = (): void => {
        this.#waiting.delete(waiting);
        this.#rest();
        reject(new Error("no longer wanted"));
      };
      const waiting: Waiting = {
        model,
        enter: () => {
          signal.removeEventListener("abort", abort);
          resolve(this.#begin(model));
        },
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.add(waiting);
      this.#serve();
    });
  }

  #begin(model: string): () => void {
    this.#count(model, 1);
    let running = true;
    return () => {
      if (!running) return;
      running = false;
      this.#count(model, -1);
      this.#serve();
    };
  }

  #count(model: string, change: number): void {
    const count = (this.#running.get(model) ?? 0) + change;
    if (count === 0) this.#running.delete(model);
    else this.#running.set(model, count);
    this.#all += change;
  }

  #serve(): void {
    if (this.#now() >= this.#pace.pausedUntil)
      for (const waiting of this.#waiting) {
        if (this.#all >= this.#pace.limit) break;
        if (this.#free(waiting.model, this.#running.get(waiting.model) ?? 0) <= 0) continue;
        this.#waiting.delete(waiting);
        waiting.enter();
      }
    this.#rest();
  }

  /** Looks again later as long as somebody waits. */
  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const pause = Math.max(LOOK_EVERY, this.#pace.pausedUntil - this.#now());
    this.#timer = setTimeout(() => this.#serve(), pause);
  }
}
