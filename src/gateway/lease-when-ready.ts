import type { Backends, Lease } from "../supervisor/backends.ts";
import { firstReady } from "./service-wait.ts";

/** A lease and whose it is. */
export interface ServiceLease {
  readonly service: string;
  readonly lease: Lease;
}

/**
 * A lease on the first of these services that gives one. While none does, that somebody waits is told as a demand, which
 * loads what takes turns. `undefined` after `time` ms, when none can become ready, or when `signal` aborts.
 */
export async function leaseWhenReady(
  backends: Backends,
  services: readonly string[],
  time: number,
  signal: AbortSignal,
): Promise<ServiceLease | undefined> {
  const until = performance.now() + time;
  const take = (): ServiceLease | undefined => {
    for (const service of services) {
      const lease = backends.acquire(service);
      if (lease !== undefined) return { service, lease };
    }
    return undefined;
  };
  let taken = take();
  if (taken !== undefined || signal.aborted) {
    if (signal.aborted) taken?.lease.release();
    return signal.aborted ? undefined : taken;
  }
  const waiting = new AbortController();
  const abort = (): void => waiting.abort();
  signal.addEventListener("abort", abort, { once: true });
  const withdraw = backends.demand(services);
  try {
    while (taken === undefined && !signal.aborted) {
      const left = until - performance.now();
      if (left <= 0 || !(await firstReady(backends, services, left, waiting))) return undefined;
      if (!signal.aborted) taken = take();
      // It was ready and is not any more, or takes nothing new just now.
      if (taken === undefined) await turn();
    }
    return taken;
  } finally {
    withdraw();
    signal.removeEventListener("abort", abort);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
