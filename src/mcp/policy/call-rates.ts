import { drain, MINUTE, waitFor } from "../../keys/limits/draining.ts";
import type { Draining } from "../../keys/limits/draining.ts";

/** Buckets that are kept; full ones of keys that rest are dropped when there are more. */
const MOST = 10_000;

/** One limit that a call falls under. */
export interface CallRate {
  /** What is counted: a key, or a server for a key. */
  readonly of: string;
  readonly perMinute: number;
}

/** Calls a minute, by key and by server: a token bucket each, taken in the same tick in which it is asked. */
export class CallRates {
  readonly #now: () => number;
  readonly #buckets = new Map<string, Draining>();

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes one call of each, or none of any; then how many seconds to wait, and which limit says so. */
  take(rates: readonly CallRate[]): { readonly seconds: number; readonly rate: CallRate } | undefined {
    const now = this.#now();
    let worst: { readonly seconds: number; readonly rate: CallRate } | undefined;
    const buckets: Draining[] = [];
    for (const rate of rates) {
      const bucket = this.#bucket(rate.of, now);
      buckets.push(bucket);
      const wait = waitFor(drain(bucket, rate.perMinute, now), 1, rate.perMinute);
      // What has drained by a hair's breadth less than a call is a call: rounding must not refuse.
      if (wait < 1) continue;
      const seconds = Math.ceil(wait / 1000);
      if (worst === undefined || seconds > worst.seconds) worst = { seconds, rate };
    }
    if (worst === undefined) for (const bucket of buckets) bucket.used += 1;
    return worst;
  }

  #bucket(of: string, now: number): Draining {
    let bucket = this.#buckets.get(of);
    if (bucket === undefined) {
      if (this.#buckets.size >= MOST) this.#forget(now);
      bucket = { used: 0, at: now };
      this.#buckets.set(of, bucket);
    }
    return bucket;
  }

  /** A bucket that nobody used for a minute is empty again, whatever its limit. */
  #forget(now: number): void {
    for (const [of, { at }] of this.#buckets) if (now - at >= MINUTE) this.#buckets.delete(of);
  }
}
