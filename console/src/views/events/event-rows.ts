import type { NodeEvent } from "../../live/live-state.ts";

/** A row of the timeline: an event, or the minute that those below it happened in. */
export type EventRow =
  | { readonly kind: "event"; readonly key: string; readonly event: NodeEvent }
  | { readonly kind: "minute"; readonly key: string; readonly time: number; readonly count: number };

const MINUTE = 60_000;

/**
 * Events, which come oldest first, as rows, newest first, under the minutes that they happened in. A minute goes by the oldest
 * of its events, so that it stays the same row while others come.
 */
export function eventRows(events: readonly NodeEvent[]): readonly EventRow[] {
  const rows: EventRow[] = [];
  let head = -1;
  for (const event of events.toReversed()) {
    const time = Math.floor(event.time / MINUTE) * MINUTE;
    const key = `minute ${event.seq}`;
    const open = rows[head];
    if (open?.kind === "minute" && open.time === time) rows[head] = { ...open, key, count: open.count + 1 };
    else head = rows.push({ kind: "minute", key, time, count: 1 }) - 1;
    rows.push({ kind: "event", key: `event ${event.seq}`, event });
  }
  return rows;
}
