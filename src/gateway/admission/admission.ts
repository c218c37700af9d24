/** Who waits for a place. */
export interface Waiter {
  /** Name of the key: keys of one priority share fairly. */
  readonly key: string;
  /** 0 to 9; 9 is served first. */
  readonly priority: number;
}

/** The right to have one request at a service. */
export interface Place {
  readonly service: string;
  /** To be called once; later calls do nothing. */
  leave(): void;
}

/** Why there was no place. */
export interface NoPlace {
  readonly status: 429 | 503;
  /** `queue_full`, `queue_timeout`. */
  readonly code: string;
  readonly message: string;
  /** Seconds, by how fast places became free lately; never a constant that means nothing. */
  readonly retryAfter: number;
}

/** A service that may take the request, and how many of its route it may have at a time there. */
export interface Wanted {
  readonly service: string;
  /** `route` of the spec with `maxConcurrent` for this service. */
  readonly bound?: { readonly route: string; readonly limit: number };
}

/** Places at services: as many as an engine generates at the same time; who waits is ordered by priority, then fairly by key. */
export interface Admission {
  /** A place at once, `undefined` when the service is full or somebody waits before this one. */
  tryEnter(wanted: Wanted, who: Waiter): Place | undefined;
  /** The first place at any of these, first choice first; at most `time` ms. Resolves `undefined` when `signal` aborted. */
  enter(
    wanted: readonly Wanted[],
    who: Waiter,
    time: number,
    signal: AbortSignal,
  ): Promise<Place | NoPlace | undefined>;
  /** Requests that have a place at a service, and that wait for one. */
  load(service: string): { readonly running: number; readonly waiting: number };
  /** Reads capacities and limits anew: to be called when a service changed, came or went. Who fits now gets in. */
  refresh(): void;
}
