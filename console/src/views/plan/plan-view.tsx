import { useAnswer } from "../../api/use-answer.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";

/** What the node decided to run, why, and what else it could. */
export function PlanView() {
  const { value, error, again } = useAnswer("GET /api/plan");
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (value === undefined) return <Loading what="the plan" />;
  return (
    <>
      <h1>Plan</h1>
      <Panel title="Services">
        <DataTable
          caption="Services as planned"
          keyOf={({ name }) => name}
          rows={value.plan.services}
          columns={[
            { name: "Service", cell: ({ name }) => name },
            { name: "Engine", cell: ({ engine }) => engine.name },
            { name: "Model", cell: ({ model }) => model.name },
            { name: "On", cell: ({ devices }) => devices.join(", ") },
          ]}
        />
      </Panel>
    </>
  );
}
