import type { Caller } from "../caller.ts";
import type { Admitted, KeyRefusal } from "../key-gate.ts";
import { waitFor } from "./draining.ts";

/** How a key's limits a minute stand. Times are milliseconds until nothing of the limit is used any more. */
export interface LimitState {
  readonly requests?: Standing | undefined;
  readonly tokens?: Standing | undefined;
}

/** How one limit a minute stands. */
export interface Standing {
  readonly limit: number;
  readonly remaining: number;
  readonly reset: number;
}

/** Of `used` at a limit a minute. */
export const standingOf = (limit: number, used: number): Standing => ({
  limit,
  remaining: Math.max(0, Math.floor(limit - used)),
  reset: waitFor(used, limit, limit),
});

/** Counts requests and tokens of callers against their limits: of this process alone, or of several together. */
export interface Limits {
  /** Reserves one request and `tokens`, or tells why not. Only a caller with limits can be refused. */
  admit(caller: Caller, tokens: number): Admitted | KeyRefusal | Promise<Admitted | KeyRefusal>;
  state(caller: Caller): LimitState;
  /** Reports what is still to be reported, and stops. */
  close(): Promise<void>;
}

/** What time it is. */
export interface Clock {
  /** Milliseconds since the epoch, for days and months. */
  readonly wall: () => number;
  /** Milliseconds that never go back, for rates. */
  readonly steady: () => number;
}

export const CLOCK: Clock = { wall: () => Date.now(), steady: () => performance.now() };

/** An admission that nothing is counted for. */
export const UNCOUNTED: Admitted = Object.freeze({ settle: (): void => {} });

/** Milliseconds after which one may ask again when nobody knows how long running answers take. */
export const CONCURRENT_WAIT = 1000;
