import { hashTo } from "../../app/hash-route.ts";
import type { OpenRequest } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";
import { Badge } from "../../parts/badge.tsx";
import { useNow } from "../../parts/clock.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Panel } from "../../parts/panel.tsx";
import { formatDuration } from "../../parts/words.ts";

/** Requests that are shown at once; a busy node has more than anybody reads. */
const SHOWN = 20;

/** Who is being answered now, and who waits. */
export function OpenRequests() {
  const { requests, total } = useLive((state) => state.open);
  const shown = requests.slice(0, SHOWN);
  return (
    <Panel title={total === 0 ? "Open requests" : `Open requests: ${total}`}>
      {shown.length === 0 ? (
        <Empty>Nobody is being answered now.</Empty>
      ) : (
        <DataTable
          caption="Open requests, the oldest first"
          columns={COLUMNS}
          rows={shown}
          keyOf={({ id }) => id}
        />
      )}
      {total > shown.length && shown.length > 0 && (
        <p className="quiet">
          These are the oldest {shown.length} of {total}.
        </p>
      )}
    </Panel>
  );
}

const COLUMNS: readonly Column<OpenRequest>[] = [
  { name: "Since", figure: true, cell: ({ started }) => <Running since={started} /> },
  { name: "State", cell: (request) => <OpenState request={request} /> },
  { name: "Key", cell: ({ key }) => key },
  { name: "Route", names: true, cell: ({ route, operation }) => route ?? operation },
  {
    name: "Service",
    cell: ({ service }) =>
      service === undefined ? "–" : <a href={hashTo("services", [service])}>{service}</a>,
  },
  {
    name: "First token",
    figure: true,
    cell: ({ firstToken }) => (firstToken === undefined ? "–" : formatDuration(firstToken)),
  },
  { name: "Request", cell: ({ id }) => <code>{id}</code> },
];

function Running({ since }: { readonly since: number }) {
  return formatDuration(Math.max(0, useNow() - since));
}

function OpenState({ request: { service, firstToken, attempts } }: { readonly request: OpenRequest }) {
  return (
    <>
      {firstToken !== undefined ? (
        <Badge tone="good">answering</Badge>
      ) : service === undefined ? (
        <Badge tone="warning">waits</Badge>
      ) : (
        <Badge tone="busy">asked</Badge>
      )}
      {attempts > 1 && <Badge tone="warning">{`try ${attempts}`}</Badge>}
    </>
  );
}
