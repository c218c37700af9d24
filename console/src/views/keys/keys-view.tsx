import { useAnswer } from "../../api/use-answer.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";

/** Who may ask this node, and how much. */
export function KeysView() {
  const { value, error, again } = useAnswer("GET /api/keys");
  if (error !== undefined) return <Failure error={error} again={again} />;
  if (value === undefined) return <Loading what="the keys" />;
  return (
    <>
      <h1>Keys</h1>
      <Panel title="Keys of this node">
        <DataTable
          caption="Keys"
          keyOf={({ name }) => name}
          rows={value.keys}
          columns={[
            { name: "Name", cell: ({ name }) => name },
            { name: "State", cell: ({ state }) => state },
            { name: "From", cell: ({ source }) => source },
          ]}
        />
      </Panel>
    </>
  );
}
