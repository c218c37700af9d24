import { useLive } from "../../live/use-live.ts";
import { Empty } from "../../parts/empty.tsx";
import { LongList } from "../../parts/long-list.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";

/** What happened and why, newest first. */
export function EventsView() {
  const events = useLive((state) => state.events);
  return (
    <Panel title="Events">
      {events.length === 0 ? (
        <Empty>Nothing has happened yet.</Empty>
      ) : (
        <LongList
          label="Events, newest first"
          items={events.toReversed()}
          rowHeight={36}
          keyOf={({ seq }) => seq}
          row={({ time, kind, service, message }) => (
            <span>
              <Time at={time} as="clock" /> <code>{kind}</code> {service} {message}
            </span>
          )}
        />
      )}
    </Panel>
  );
}
