import type { Deployment } from "../../../deployment/index.ts";
import { enginesRunHere, servicesHere } from "../scope.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { listenersOf } from "./listeners.ts";
import type { Listener } from "./listeners.ts";

const ID = "network.ports";
/** What holds a port for a node that runs already: Omni's own gateway, and what Docker publishes. */
const OWN = /^(?:node|omni|docker-proxy|rootlessport)/;
const NODE_PORTS = [30_000, 32_767] as const;

interface Wanted {
  readonly port: number;
  readonly by: string;
  readonly path: string;
}

/** Ports that the plan wants are free, and no two of its services want the same. */
export const portsFree: Check = {
  id: ID,
  title: "Ports of the plan",
  look: async (subject) => [...nodePorts(subject.deployment), ...(await hostPorts(subject))],
};

function hostPorts(subject: DoctorSubject): Promise<readonly Finding[]> {
  const { deployment, spec } = subject;
  if (deployment === undefined || spec === undefined || !enginesRunHere(subject)) return Promise.resolve([]);
  const gateway: Wanted = { port: deployment.gateway.port, by: "the gateway", path: "gateway.port" };
  const services = servicesHere(subject).flatMap(
    ({ name, runtime, port, hostPort, replicaOf }): readonly Wanted[] => {
      const at = runtime === "docker" ? hostPort : runtime === "process" ? port : undefined;
      return at === undefined || at === 0
        ? []
        : [{ port: at, by: `service ${name}`, path: `services.${replicaOf ?? name}.port` }];
    },
  );
  return looked(subject, deployment.runtime === "kubernetes" ? services : [gateway, ...services]);
}

async function looked(subject: DoctorSubject, wanted: readonly Wanted[]): Promise<readonly Finding[]> {
  if (wanted.length === 0) return [];
  const listeners = await listenersOf(subject.view);
  if (listeners === undefined)
    return [{ check: ID, state: "unknown", seen: "neither ss nor /proc/net tells who listens" }];
  const taken = wanted.flatMap((one) => {
    const holder = listeners.find(({ port }) => port === one.port);
    return holder === undefined ? [] : [takenFinding(one, holder)];
  });
  return taken.length > 0
    ? taken
    : [{ check: ID, state: "ok", seen: `free: ${wanted.map(({ port }) => port).join(", ")}` }];
}

function takenFinding({ port, by, path }: Wanted, { process, pid }: Listener): Finding {
  const base = { check: ID, subject: `port ${port} (${by})`, path } as const;
  const holder =
    process === undefined ? "somebody (only root is told who)" : `${process}, process ${pid ?? 0}`;
  if (process !== undefined && OWN.test(process))
    return {
      ...base,
      state: "note",
      seen: `taken by ${holder}; all is well if that is this node`,
      remedy: "./omni status",
    };
  return {
    ...base,
    state: process === undefined ? "warning" : "error",
    seen: `taken by ${holder}`,
    wanted: "a free port",
    why: `${by} cannot listen there.`,
    remedy: `ss -ltnp 'sport = :${port}'; end it, or choose another port in the spec`,
  };
}

/** Node ports are one for the whole cluster, in a range of its own. */
function nodePorts(deployment: Deployment | undefined): readonly Finding[] {
  if (deployment === undefined) return [];
  const { gateway, services } = deployment;
  const wanted = [
    ...(gateway.nodePort === undefined ? [] : [{ port: gateway.nodePort, by: "the gateway" }]),
    ...services.flatMap(({ name, nodePort }) =>
      nodePort === undefined ? [] : [{ port: nodePort, by: name }],
    ),
  ];
  return [...Map.groupBy(wanted, ({ port }) => port)].flatMap(([port, users]): readonly Finding[] => {
    const base = { check: ID, subject: `node port ${port}`, state: "error" } as const;
    const names = users.map(({ by }) => by).join(", ");
    const outside = port < NODE_PORTS[0] || port > NODE_PORTS[1];
    if (users.length === 1 && !outside) return [];
    return [
      {
        ...base,
        seen: outside ? `outside the range of node ports (${names})` : `wanted by ${names}`,
        wanted: outside ? NODE_PORTS.join(" to ") : "one service for each node port",
        why: "Kubernetes refuses the Service.",
        remedy: "Give each service a nodePort of its own between 30000 and 32767.",
      },
    ];
  });
}
