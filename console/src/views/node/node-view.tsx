import { useLive } from "../../live/use-live.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { formatBytes } from "../../parts/words.ts";

/** The machine as it is now: its cards, its memory and its disks. */
export function NodeView() {
  const hardware = useLive((state) => state.hardware);
  if (hardware === undefined) return <Loading what="the machine" />;
  const cards = hardware.reading?.cards ?? [];
  return (
    <Panel title="Cards">
      {cards.length === 0 ? (
        <Empty>No card was seen on this machine.</Empty>
      ) : (
        <DataTable
          caption="Cards"
          rows={cards}
          keyOf={({ uuid }) => uuid}
          columns={[
            { name: "Card", cell: ({ index, name }) => `${index} ${name}` },
            {
              name: "Used",
              figure: true,
              cell: ({ memoryUsed }) => (memoryUsed === undefined ? "–" : formatBytes(memoryUsed)),
            },
          ]}
        />
      )}
    </Panel>
  );
}
