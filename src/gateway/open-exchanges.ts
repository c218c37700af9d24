/** A request that is being answered or waits. Times are milliseconds. */
export interface OpenRequest {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
  /** `chat`, `messages`, `embeddings`, …; `upstream` for one that is passed to an engine as it is. */
  readonly operation: string;
  /** Name of the caller's key. */
  readonly key: string;
  readonly route?: string;
  /** Where it is now; absent while it waits. */
  readonly service?: string;
  readonly stream: boolean;
  readonly attempts: number;
  /** To the first token, once it came. */
  readonly firstToken?: number;
}

/** The oldest of those that are open, and how many there are. */
export interface OpenRequests {
  readonly requests: readonly OpenRequest[];
  readonly total: number;
}

/** A request in flight, as the end of the gateway sees it. */
export interface OpenExchange {
  /** Where it is kept among those that are open, below 0 while it is not: for `OpenExchanges` alone. */
  openSeat: number;
  /** Ends it because the node stops: a stream with an error event, anything else with 503. */
  stop(): void;
  /** What it is and how far it has come, for whoever looks: nothing is written down for it meanwhile. */
  describe(): OpenRequest;
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

  /** The `most` oldest of them, the oldest first. */
  describe(most: number): OpenRequests {
    const requests = this.#all.map((one) => one.describe()).toSorted((a, b) => a.started - b.started);
    return { requests: requests.slice(0, most), total: requests.length };
  }

  /** Those that are open now; who ends meanwhile is told all the same. */
  [Symbol.iterator](): Iterator<OpenExchange> {
    return [...this.#all].values();
  }
}
