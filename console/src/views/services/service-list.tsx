import { hashTo } from "../../app/hash-route.ts";
import { useSession } from "../../app/session.ts";
import type { Service } from "../../live/live-state.ts";
import { Badge } from "../../parts/badge.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Panel } from "../../parts/panel.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { recentSpeed } from "./recent-speed.ts";
import type { Speed } from "./recent-speed.ts";
import { useRecentRequests } from "./use-recent-requests.ts";
import { asRate, atWork, restartsOf } from "./service-words.ts";

/** All services, one a row. */
export function ServiceList({ services }: { readonly services: readonly Service[] }) {
  const { admin } = useSession();
  const requests = useRecentRequests(admin);
  const speeds = new Map(services.map(({ name }) => [name, recentSpeed(requests, name)]));
  return (
    <Panel title="Services">
      {services.length === 0 ? (
        <Empty>This node has no service. `services` in its spec names what it serves.</Empty>
      ) : (
        <DataTable
          caption="Services"
          rows={services}
          keyOf={({ name }) => name}
          toneOf={({ state }) => (state === "failed" || state === "backing-off" ? "error" : undefined)}
          columns={[
            { name: "Service", cell: ({ name }) => nameCell(name, admin) },
            { name: "State", cell: stateCell },
            { name: "Engine", cell: engineCell },
            { name: "Model", cell: ({ model }) => model },
            { name: "On", cell: ({ devices = [] }) => devices.join(", ") },
            { name: "At work", figure: true, cell: atWork },
            ...(admin ? speedColumns(speeds) : []),
            { name: "Restarts", figure: true, cell: restartsOf },
          ]}
        />
      )}
      {!admin && <p className="quiet">Details, history and actions are for keys that may change the node.</p>}
    </Panel>
  );
}

const nameCell = (name: string, admin: boolean) =>
  admin ? <a href={hashTo("services", [name])}>{name}</a> : name;

/** The state, and where it is less than planned. */
function stateCell(service: Service) {
  const { reason, ladder } = service;
  return (
    <>
      <span className="row">
        <StateBadge {...service} />
        {ladder !== undefined && <Badge tone="warning">{`rung ${ladder.rung}`}</Badge>}
      </span>
      {reason !== undefined && service.state !== "ready" && <div className="quiet why">{reason}</div>}
    </>
  );
}

const engineCell = ({ engine, simulated }: Service) => (
  <>
    {engine} {simulated === true && <Badge tone="warning">simulated</Badge>}
  </>
);

const speedColumns = (speeds: ReadonlyMap<string, Speed | undefined>) => [
  {
    name: "First token",
    figure: true,
    cell: ({ name }: Service) => asRate(speeds.get(name)?.firstToken, "ms"),
  },
  {
    name: "Tokens/s",
    figure: true,
    cell: ({ name }: Service) => asRate(speeds.get(name)?.tokensPerSecond, ""),
  },
];
