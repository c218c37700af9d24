import type { RequestRow } from "../../live/live-state.ts";
import { passes } from "./request-filter.ts";
import type { RequestFilter } from "./request-filter.ts";

/** Requests that were asked for, newest first, with those that the stream brought since; each once, newest first. */
export function joinedRequests(
  asked: readonly RequestRow[],
  live: readonly RequestRow[],
  filter: RequestFilter,
): readonly RequestRow[] {
  const known = new Set(asked.map(({ id }) => id));
  const fresh = live.filter((row) => !known.has(row.id) && passes(row, filter));
  // The stream tells them by their end, and the list goes by their beginning.
  return fresh.length === 0
    ? asked
    : [...fresh.toReversed(), ...asked].toSorted((a, b) => b.started - a.started);
}
