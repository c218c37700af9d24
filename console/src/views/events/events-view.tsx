import { useCallback, useMemo, useState } from "react";
import { hashTo, replaceHash, useHashRoute } from "../../app/hash-route.ts";
import type { LiveState, NodeEvent } from "../../live/live-state.ts";
import { useCalmLive } from "../../live/use-calm-live.ts";
import { Button } from "../../parts/button.tsx";
import { useNow } from "../../parts/clock.ts";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { LongList } from "../../parts/long-list.tsx";
import { EventDetail } from "./event-detail.tsx";
import { filterOf, filterQuery, passes } from "./event-filter.ts";
import type { EventFilter } from "./event-filter.ts";
import { EventFilters } from "./event-filters.tsx";
import { EventRowView } from "./event-row-view.tsx";
import { eventRows } from "./event-rows.ts";
import { useEvents } from "./use-events.ts";
import "./events.css";

const ROW_HEIGHT = 34;
const eventsOf = ({ events }: LiveState): readonly NodeEvent[] => events;

const go = (chosen: readonly string[], filter: EventFilter): void =>
  replaceHash(hashTo("events", chosen, filterQuery(filter)));

/** What happened and why, newest first. Filter and chosen event stand in the address. */
export function EventsView() {
  const { rest, query } = useHashRoute();
  const current = useCalmLive(eventsOf);
  const [held, setHeld] = useState<readonly NodeEvent[]>();
  const { events, busy, error, more, loadOlder } = useEvents(held ?? current);
  const filter = useMemo(() => filterOf(query), [query]);
  const shown = useShown(events, filter);
  const rows = useMemo(() => eventRows(shown), [shown]);
  const choices = useChoices(events);
  const chosen = events.find(({ seq }) => String(seq) === rest[0]);
  const open = rest[0];
  const choose = useCallback(
    (seq: number): void => go(open === String(seq) ? [] : [String(seq)], filter),
    [open, filter],
  );
  const since = held === undefined ? 0 : (current.at(-1)?.seq ?? 0) - (held.at(-1)?.seq ?? 0);
  return (
    <>
      <div className="events-head">
        <h1>Events</h1>
        <p className="quiet" role="status">
          {shown.length} of {events.length}
          {held !== undefined && ` · ${since} since you paused`}
        </p>
        <Button onPress={() => setHeld(held === undefined ? current : undefined)}>
          {held === undefined ? "Pause" : "Follow"}
        </Button>
        {more && (
          <Button busy={busy} onPress={loadOlder}>
            Load older
          </Button>
        )}
      </div>
      <EventFilters filter={filter} setFilter={(next) => go(rest, next)} {...choices} />
      {error !== undefined && <Failure error={error} />}
      {chosen !== undefined && <EventDetail event={chosen} close={() => go([], filter)} />}
      {rows.length > 0 ? (
        <LongList
          key={JSON.stringify(filter)}
          label="Events, newest first"
          items={rows}
          rowHeight={ROW_HEIGHT}
          keyOf={({ key }) => key}
          renderRow={(row) => (
            <EventRowView
              row={row}
              chosen={row.kind === "event" && String(row.event.seq) === open}
              choose={choose}
            />
          )}
        />
      ) : busy ? (
        <Loading what="events" />
      ) : (
        <Empty>{events.length === 0 ? "Nothing has happened yet." : "No event is like this."}</Empty>
      )}
    </>
  );
}

function useShown(events: readonly NodeEvent[], filter: EventFilter): readonly NodeEvent[] {
  const now = useNow();
  // Only a filter by time has other events with each second.
  const moment = filter.minutes === "" ? 0 : now;
  return useMemo(() => events.filter((event) => passes(event, filter, moment)), [events, filter, moment]);
}

/** Kinds and services of the events that are here, in order. */
function useChoices(events: readonly NodeEvent[]): {
  readonly kinds: readonly string[];
  readonly services: readonly string[];
} {
  const kinds = [...new Set(events.map(({ kind }) => kind))].toSorted().join("\n");
  const services = [...new Set(events.flatMap(({ service }) => service ?? []))].toSorted().join("\n");
  // The lists are only other ones when something of them is: typing in a form is not disturbed by events.
  return useMemo(() => ({ kinds: linesOf(kinds), services: linesOf(services) }), [kinds, services]);
}

const linesOf = (text: string): readonly string[] => (text === "" ? [] : text.split("\n"));
