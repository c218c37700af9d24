import { useLive } from "../../live/use-live.ts";
import { DataTable } from "../../parts/data-table.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";

/** What the node serves, and how it stands with each. */
export function ServicesView() {
  const services = useLive((state) => state.status?.services);
  if (services === undefined) return <Loading what="the services" />;
  return (
    <Panel title="Services">
      <DataTable
        caption="Services"
        rows={services}
        keyOf={({ name }) => name}
        columns={[
          { name: "Service", cell: ({ name }) => name },
          { name: "State", cell: (service) => <StateBadge {...service} /> },
          { name: "Engine", cell: ({ engine }) => engine },
          { name: "Model", cell: ({ model }) => model },
        ]}
      />
    </Panel>
  );
}
