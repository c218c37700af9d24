import type { FreePlaces } from "./free-places.ts";
import { Pace } from "./pace.ts";

/** How often it is looked for free places while somebody waits for one, ms; never while nobody does. */
const LOOK_EVERY = 250;
const MOST_PACES = 256;

interface Waiting {
  readonly model: string;
  enter(): void;
}

/** Lets requests of batches begin, in order of arrival, while there is room for them. */
export class BatchPlaces {
  readonly #free: FreePlaces;
  readonly #most: number;
  /** By model: one that is refused slows down no other. */
  readonly #paces = new Map<string, Pace>();
  readonly #now: () => number;
  readonly #waiting = new Set<Waiting>();
  /** Requests under way by model. */
  readonly #running = new Map<string, number>();
  #all = 0;
  #timer: NodeJS.Timeout | undefined;

  /** At most `most` requests of all models together. `now` gives milliseconds. */
  constructor(free: FreePlaces, most: number, now: () => number) {
    this.#free = free;
    this.#most = most;
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

  /** A good answer: the model may have more. */
  succeeded(model: string): void {
    this.#paceOf(model).succeeded();
  }

  /** The model takes no more just now, for so many milliseconds as it says. */
  refused(model: string, pause: number): void {
    this.#paceOf(model).refused(pause, this.#now());
  }

  #paceOf(model: string): Pace {
    const known = this.#paces.get(model);
    if (known !== undefined) return known;
    const pace = new Pace(this.#most);
    this.#paces.set(model, pace);
    // Names come from clients; what is forgotten begins again with one request.
    const [oldest] = this.#paces.keys();
    if (this.#paces.size > MOST_PACES && oldest !== undefined) this.#paces.delete(oldest);
    return pace;
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
    for (const waiting of this.#waiting) {
      if (this.#all >= this.#most) break;
      if (!this.#hasRoom(waiting.model)) continue;
      this.#waiting.delete(waiting);
      waiting.enter();
    }
    this.#rest();
  }

  #hasRoom(model: string): boolean {
    const { limit, pausedUntil } = this.#paceOf(model);
    const own = this.#running.get(model) ?? 0;
    return own < limit && this.#now() >= pausedUntil && this.#free(model, own) > 0;
  }

  /** Looks again later as long as somebody waits. */
  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const soonest = Math.min(...[...this.#waiting].map(({ model }) => this.#paceOf(model).pausedUntil));
    this.#timer = setTimeout(() => this.#serve(), Math.max(LOOK_EVERY, soonest - this.#now()));
  }
}
