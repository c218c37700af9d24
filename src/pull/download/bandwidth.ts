import { setTimeout as sleep } from "node:timers/promises";

/** A share of the line for each piece that arrives; resolves when it may be taken in. */
export type Bandwidth = (bytes: number, signal: AbortSignal) => Promise<void>;

/** Milliseconds that an idle line may be ahead of its rate. */
const AHEAD = 200;

/** One bound for all connections together, in bytes a second; none when absent. */
export function limitBandwidth(rate: number | undefined): Bandwidth {
  if (rate === undefined) return () => Promise.resolve();
  /** The moment until which everything that was taken is paid for. */
  let paid = performance.now();
  return async (bytes, signal) => {
    const now = performance.now();
    paid = Math.max(paid, now - AHEAD) + (bytes / rate) * 1000;
    if (paid > now) await sleep(paid - now, undefined, { signal });
  };
}
