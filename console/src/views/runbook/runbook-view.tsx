import { useAnswer } from "../../api/use-answer.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";

/** What `omni apply` did: its runs, their phases and steps, and what proves them. */
export function RunbookView() {
  const { value, error, again } = useAnswer("GET /api/runbooks");
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (value === undefined) return <Loading what="the runs" />;
  return (
    <>
      <h1>Runbook</h1>
      <Panel title="Runs">
        {value.runs.length === 0 ? (
          <Empty>
            Nothing was applied from here yet. <code>./omni apply omni.yaml</code> does it.
          </Empty>
        ) : (
          <DataTable
            caption="Runs, newest first"
            keyOf={({ spec, id }) => `${spec} ${id}`}
            rows={value.runs}
            columns={[
              { name: "Run", cell: ({ spec, id }) => `${spec} ${id}` },
              { name: "Begun", cell: ({ begun }) => <Time at={begun} /> },
              { name: "Outcome", cell: ({ outcome, active }) => outcome ?? (active ? "at work" : "cut off") },
            ]}
          />
        )}
      </Panel>
    </>
  );
}
