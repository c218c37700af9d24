import type { NodeEvent } from "../../live/live-state.ts";

/**
 * Older events and those that follow them, oldest first, each once. Where something is missing between the two, the older
 * ones are left out: a timeline with a hole that nobody sees would tell something else than what happened.
 */
export function mergedEvents(older: readonly NodeEvent[], newer: readonly NodeEvent[]): readonly NodeEvent[] {
  const first = newer[0]?.seq;
  if (first === undefined) return older;
  const last = older.at(-1)?.seq;
  if (last === undefined || last < first - 1) return newer;
  return [...older.filter(({ seq }) => seq < first), ...newer];
}
