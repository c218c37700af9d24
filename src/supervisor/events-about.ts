import type { EventLog } from "../core/index.ts";
import type { Clock } from "./clock.ts";

/** Only events about services that concern somebody are recorded. */
export const eventsAbout = (
  events: EventLog,
  clock: Clock,
  concerns: (service: string) => boolean,
): EventLog => ({
  record: (event) =>
    event.service === undefined || concerns(event.service)
      ? events.record(event)
      : { ...event, seq: 0, time: clock.wall() },
  after: (seq, limit) => events.after(seq, limit),
  latest: (limit) => events.latest(limit),
  subscribe: (listener) => events.subscribe(listener),
});
