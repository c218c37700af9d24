import { useAnswer } from "../../api/use-answer.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import type { Answer } from "../../../../src/api/contract/index.ts";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";

type ToolServer = Answer<"GET /api/mcp/servers">["servers"][number];

const COLUMNS: readonly Column<ToolServer>[] = [
  { name: "Server", cell: ({ name }) => name },
  { name: "State", cell: ({ state }) => state },
  { name: "Transport", cell: ({ transport }) => transport },
  { name: "Tools", figure: true, cell: ({ tools }) => tools },
  { name: "Why", cell: ({ reason }) => reason },
];

/** Servers of the tool gateway. */
export function ToolsView() {
  const { value, error, again } = useAnswer("GET /api/mcp/servers");
  return (
    <Panel title="Tool servers">
      {error !== undefined && <Failure error={error} again={again} />}
      {value === undefined && error === undefined && <Loading what="tool servers" />}
      {value?.servers.length === 0 && <Empty>The spec names no tool servers.</Empty>}
      {value !== undefined && value.servers.length > 0 && (
        <DataTable caption="Tool servers" columns={COLUMNS} rows={value.servers} keyOf={({ name }) => name} />
      )}
    </Panel>
  );
}
