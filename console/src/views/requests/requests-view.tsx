import { useAnswer } from "../../api/use-answer.ts";
import { useLive } from "../../live/use-live.ts";
import type { RequestRow } from "../../live/live-state.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { formatDuration } from "../../parts/words.ts";

const COLUMNS: readonly Column<RequestRow>[] = [
  { name: "When", cell: ({ started }) => <Time at={started} as="clock" /> },
  { name: "Key", cell: ({ key }) => key },
  { name: "Route", cell: ({ route }) => route },
  { name: "Service", cell: ({ service }) => service },
  { name: "Outcome", cell: ({ outcome }) => outcome },
  { name: "Took", figure: true, cell: ({ duration }) => formatDuration(duration) },
];

/** Requests that are open and that ended, without their contents. */
export function RequestsView() {
  const open = useLive((state) => state.open);
  const { value, error, again } = useAnswer("GET /api/requests", { query: { limit: 100 } });
  return (
    <Panel title="Requests">
      <p>{open.total} are being answered or wait.</p>
      {error !== undefined && <Failure error={error} again={again} />}
      {value === undefined && error === undefined && <Loading what="requests" />}
      {value?.requests.length === 0 && <Empty>Nobody has asked yet.</Empty>}
      {value !== undefined && value.requests.length > 0 && (
        <DataTable
          caption="Requests, newest first"
          columns={COLUMNS}
          rows={value.requests}
          keyOf={({ id }) => id}
        />
      )}
    </Panel>
  );
}
