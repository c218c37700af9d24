import type { NodeEvent } from "../../core/index.ts";
import type { StreamSources } from "./stream-sources.ts";
import type { Message, Topic } from "./topic.ts";
import { messageText } from "./topic.ts";

/** Events that one message carries at most; who is further behind skips the oldest. */
const MOST = 1000;
/** Events for who has none. */
const FIRST = 200;

/** Happenings. Whoever was away or slow gets what the log still has after its last one. */
export function eventTopic({ events }: StreamSources): Topic {
  let last: number | undefined;
  const newest = (): number => events.latest(1).at(-1)?.seq ?? 0;
  const after = (seq: number): Message | undefined => {
    const next = events.after(seq, MOST);
    const found = next.length < MOST ? next : events.latest(MOST).filter((event) => event.seq > seq);
    const [first] = found;
    return first === undefined ? undefined : message(found, seq, first.seq - seq - 1);
  };
  return {
    name: "events",
    open(changed) {
      last = newest();
      return events.subscribe(changed);
    },
    news() {
      const found = after((last ??= newest()));
      last = found?.events?.last ?? last;
      return found;
    },
    whole(known) {
      // A number that this log never gave is of another state folder.
      if (known !== undefined && known <= newest()) return after(known);
      const latest = events.latest(FIRST);
      return message(latest, latest.at(-1)?.seq ?? 0, 0);
    },
  };
}

function message(found: readonly NodeEvent[], before: number, skipped: number): Message {
  const last = found.at(-1)?.seq ?? before;
  return { text: messageText("events", { events: found, skipped }, last), events: { before, last } };
}
