/** Something that must not stay as it is beyond `deadline`, by `performance.now()`. */
export interface Impatient {
  readonly deadline: number;
  /** Called once for each look at which the deadline has passed. */
  overdue(): void;
}

/**
 * One timer for all deadlines of requests: each request only writes down when it last heard something, which costs a
 * thousandth of setting a timer anew for every event. Deadlines are noticed at most `step` ms late; idle, it costs nothing.
 */
export class Patience {
  readonly #step: number;
  readonly #watched = new Set<Impatient>();
  #timer: NodeJS.Timeout | undefined;

  constructor(step: number) {
    this.#step = step;
  }

  /** Those whose deadlines are watched now. */
  get size(): number {
    return this.#watched.size;
  }

  add(one: Impatient): void {
    this.#watched.add(one);
    this.#timer ??= setInterval(() => this.#look(), this.#step).unref();
  }

  remove(one: Impatient): void {
    this.#watched.delete(one);
  }

  #look(): void {
    if (this.#watched.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    for (const one of this.#watched) if (now > one.deadline) one.overdue();
  }
}
