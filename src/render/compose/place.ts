import type { DeployedService, Deployment } from "../../deployment/index.ts";
import type { Topology } from "./topology.ts";

/** One compose file: the services of one machine, with the gateway or without. */
export interface ComposePlace {
  /** Folder below the output folder: `compose`, or `compose/MACHINE` where Docker runs on several. */
  readonly folder: string;
  readonly machine?: string;
  readonly services: readonly DeployedService[];
  readonly withGateway: boolean;
  /** Name of the gateway's service, which no engine has. */
  readonly gatewayName: string;
}

/** The compose files of a deployment: one, or one a machine. The first carries the gateway where Docker is the runtime. */
export function placesOf(deployment: Deployment): readonly ComposePlace[] {
  const services = deployment.services.filter(({ runtime }) => runtime === "docker");
  const groups = Map.groupBy(services, ({ machine }) => machine);
  const several = groups.size > 1;
  return [...groups].map(([machine, members], index) => ({
    folder: several ? `compose/${machine ?? "any-machine"}` : "compose",
    ...(machine === undefined ? {} : { machine }),
    services: members,
    withGateway: index === 0 && deployment.runtime === "docker",
    gatewayName: freeName("gateway", new Set(members.map(({ name }) => name))),
  }));
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let turn = 2; taken.has(name); turn += 1) name = `${wanted}-${turn}`;
  return name;
}

/** Name under which containers know the node itself. */
export const NODE_NAME = "host.docker.internal";

/**
 * Port of the node under which a service is published, whether or not it has to be: the one that its owner names, else its
 * own, or the next that no service of its machine has taken. Containers may share a port, a node may not.
 */
export function publishedPortOf(service: DeployedService, deployment: Deployment): number {
  const neighbours = deployment.services.filter(
    ({ runtime, machine }) => runtime === service.runtime && machine === service.machine,
  );
  const taken = new Set(neighbours.flatMap(({ hostPort }) => hostPort ?? []));
  for (const one of neighbours) {
    let port = one.hostPort ?? one.port;
    while (one.hostPort === undefined && taken.has(port)) port += 1;
    taken.add(port);
    if (one === service) return port;
  }
  return service.hostPort ?? service.port;
}

/**
 * Where the gateway of a place finds a service: by its name on a common network; through the node's published port where
 * it is on the node's own network, no container, or on another machine.
 */
export function addressOf(
  service: DeployedService,
  place: ComposePlace,
  topology: Topology,
  deployment: Deployment,
): string {
  const { name, port, runtime, machine } = service;
  const here = place.services.includes(service);
  if (here && topology.of(service).mode === undefined) return `http://${name}:${port}`;
  if (here) return `http://${NODE_NAME}:${port}`;
  const elsewhere = machine !== undefined && place.machine !== undefined && machine !== place.machine;
  const host = elsewhere
    ? (deployment.hosts.find((one) => one.name === machine)?.address ?? machine)
    : NODE_NAME;
  const published =
    (runtime === "kubernetes" ? service.nodePort : undefined) ??
    (runtime === "docker" ? publishedPortOf(service, deployment) : (service.hostPort ?? port));
  return `http://${host.includes(":") ? `[${host}]` : host}:${published}`;
}
