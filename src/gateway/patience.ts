/** Something that must not stay as it is beyond `deadline`, by `performance.now()`. */
export interface Impatient {
  readonly deadline: number;
  /** Where the patience that watches it keeps it, below 0 while none does: for the patience alone. */
  seat: number;
  /** Called once for each look at which the deadline has passed. */
  overdue(): void;
}

/**
 * One timer for all deadlines of requests: each request only writes down when it last heard something, which costs a
 * thousandth of setting a timer anew for every event. Deadlines are noticed at most `step` ms late; idle, it costs nothing.
 */
export class Patience {
  readonly #step: number;
  readonly #watched: Impatient[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(step: number) {
    this.#step = step;
  }

  /** Those whose deadlines are watched now. */
  get size(): number {
    return this.#watched.length;
  }

  add(one: Impatient): void {
    if (one.seat >= 0) return;
    one.seat = this.#watched.push(one) - 1;
    this.#timer ??= setInterval(() => this.#look(), this.#step).unref();
  }

  remove(one: Impatient): void {
    const { seat } = one;
    if (seat < 0) return;
    one.seat = -1;
    const last = this.#watched.pop();
    if (last === undefined || last === one) return;
    this.#watched[seat] = last;
    last.seat = seat;
  }

  #look(): void {
    if (this.#watched.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    // From the end: who leaves meanwhile is replaced by one that was looked at already.
    for (let at = this.#watched.length - 1; at >= 0; at--) {
      const one = this.#watched[at];
      if (one !== undefined && now > one.deadline) one.overdue();
    }
  }
}
