import type { Listing } from "./listing.ts";
import type { Kind, ServerLink } from "./server-link.ts";

/** Milliseconds that a list waits for servers that start; one that takes longer comes later, as a change. */
const MOMENT = 1500;

/**
 * Waits a moment for lists that nobody has asked for yet. Costs nothing where all are there. Never rejects; ends when the
 * client cancels.
 */
export async function settled(
  links: readonly ServerLink[],
  kinds: readonly Kind[],
  signal: AbortSignal,
  milliseconds: number = MOMENT,
): Promise<void> {
  const lists: Listing<unknown>[] = [];
  const loading: Promise<void>[] = [];
  for (const link of links) {
    for (const kind of kinds) {
      const list = link.lists[kind];
      const wait = list.settle();
      if (wait !== undefined) loading.push(wait);
      if (!list.isLoaded) lists.push(list);
    }
  }
  if (loading.length > 0) await withinTime(Promise.all(loading), milliseconds, signal);
  for (const list of lists) list.miss();
}

/** Resolves with the promise, or `undefined` when the time is up or the client is gone. */
export async function withinTime<T>(
  promise: Promise<T>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const stop = (): void => resolve(undefined);
  const timer = setTimeout(stop, milliseconds);
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
