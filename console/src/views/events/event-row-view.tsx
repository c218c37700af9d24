import { memo } from "react";
import { hashTo } from "../../app/hash-route.ts";
import { useNow } from "../../parts/clock.ts";
import { clockOf } from "../../parts/words.ts";
import type { EventRow } from "./event-rows.ts";

interface EventRowProps {
  readonly row: EventRow;
  readonly chosen: boolean;
  readonly choose: (seq: number) => void;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** One line of the timeline, which is drawn again only when it says something else. */
export const EventRowView = memo(function EventRowView({ row, chosen, choose }: EventRowProps) {
  if (row.kind === "minute") return <Minute time={row.time} count={row.count} />;
  const { seq, time, severity, kind, service, message } = row.event;
  return (
    <div className="event-row" data-severity={severity} data-chosen={chosen}>
      <time dateTime={new Date(time).toISOString()}>{CLOCK.format(time)}</time>
      <span className="event-severity" title={severity}>
        <span className="unseen">{severity}</span>
      </span>
      <code className="event-kind">{kind}</code>
      <button type="button" aria-pressed={chosen} onClick={() => choose(seq)} title={message}>
        {message}
      </button>
      {service === undefined ? <span /> : <a href={hashTo("services", [service])}>{service}</a>}
    </div>
  );
}, saysTheSame);

function saysTheSame(before: EventRowProps, now: EventRowProps): boolean {
  if (before.chosen !== now.chosen || before.choose !== now.choose || before.row.key !== now.row.key)
    return false;
  return before.row.kind !== "minute" || now.row.kind !== "minute" || before.row.count === now.row.count;
}

function Minute({ time, count }: Pick<Extract<EventRow, { kind: "minute" }>, "time" | "count">) {
  const now = useNow();
  return (
    <div className="event-minute">
      <strong>{clockOf(time, now).replace(/:\d\d$/, "")}</strong>{" "}
      <span>{count === 1 ? "one event" : `${count} events`}</span>
    </div>
  );
}
