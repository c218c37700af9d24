import { hashTo } from "../../app/hash-route.ts";
import type { NodeEvent } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";
import { Badge } from "../../parts/badge.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";

/** Failures that are shown. */
const MOST = 10;

/** What went wrong with a service, the newest first, each with its classified cause and what to do. */
export function FailuresPanel({ name }: { readonly name: string }) {
  const events = useLive((state) => state.events);
  const failures = events
    .filter(({ service, severity }) => service === name && severity !== "info")
    .slice(-MOST)
    .toReversed();
  return (
    <Panel
      title="What went wrong"
      actions={<a href={hashTo("events", [], { service: name })}>All its events</a>}
    >
      {failures.length === 0 ? (
        <Empty>Nothing, as far back as the console knows.</Empty>
      ) : (
        <ol className="failures">
          {failures.map((event) => (
            <FailureItem key={event.seq} event={event} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function FailureItem({ event }: { readonly event: NodeEvent }) {
  const { severity, kind, time, message, data } = event;
  const [code, hint, lastLine] = [textIn(data, "code"), textIn(data, "hint"), textIn(data, "lastLine")];
  return (
    <li>
      <p className="row">
        <Badge tone={severity === "error" ? "error" : "warning"}>{kind}</Badge>
        <Time at={time} as="clock" />
        {code !== undefined && <code>{code}</code>}
      </p>
      <p>{message}</p>
      {hint !== undefined && <p className="quiet">{hint}</p>}
      {lastLine !== undefined && <pre className="log">{lastLine}</pre>}
    </li>
  );
}

/** A text among the data of an event, where it has one. */
function textIn(data: NodeEvent["data"], member: string): string | undefined {
  const value = data?.[member];
  return typeof value === "string" && value !== "" ? value : undefined;
}
