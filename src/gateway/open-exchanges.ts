/** A request in flight, as the end of the gateway sees it. */
export interface OpenExchange {
  /** Where it is kept among those that are open, below 0 while it is not: for `OpenExchanges` alone. */
  openSeat: number;
  /** Ends it because the node stops: a stream with an error event, anything else with 503. */
  stop(): void;
}

/**
 * The requests in flight. No `Set`: where many come and go it makes itself a new table again and again, and each old one
 * holds those that were in it, and the next table, until the whole heap is looked through.
 */
export class OpenExchanges {
  readonly #all: OpenExchange[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(one: OpenExchange): void {
    if (one.openSeat < 0) one.openSeat = this.#all.push(one) - 1;
  }

  delete(one: OpenExchange): void {
    const { openSeat } = one;
    if (openSeat < 0) return;
    one.openSeat = -1;
    const last = this.#all.pop();
    if (last === undefined || last === one) return;
    this.#all[openSeat] = last;
    last.openSeat = openSeat;
  }

  /** Those that are open now; who ends meanwhile is told all the same. */
  [Symbol.iterator](): Iterator<OpenExchange> {
    return [...this.#all].values();
  }
}
