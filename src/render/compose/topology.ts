import type { DeployedNetwork, DeployedService, Deployment } from "../../deployment/index.ts";
import type { ComposeDraft } from "./compose-draft.ts";

/** Compose's own network of a project, for services that name none. */
export const DEFAULT_NETWORK = "default";

/** What a container is attached to: networks by name, or the node's own network, or nothing. */
export interface Attachment {
  readonly mode?: "host" | "none";
  readonly networks: readonly string[];
}

/** Who is on which network of one compose file, decided once. */
export interface Topology {
  readonly of: (service: DeployedService) => Attachment;
  /** Absent where the file holds no gateway. */
  readonly gateway?: Attachment;
  /** Every network that somebody is attached to, those of the spec in its order, the project's own last. */
  readonly used: readonly string[];
}

/** A network that promises its services no way out. */
export const isSealed = (network: DeployedNetwork | undefined): boolean =>
  network !== undefined && (network.internal || network.isolation !== "none");

export const networkNamed = (deployment: Deployment, name: string): DeployedNetwork | undefined =>
  deployment.networks.find((network) => network.name === name);

/** Attachments as written, and those of the gateway completed so that its port can be published. */
export function topologyOf(
  deployment: Deployment,
  services: readonly DeployedService[],
  withGateway: boolean,
  draft: ComposeDraft,
): Topology {
  const attachments = new Map(services.map((one) => [one, attach(deployment, one.networks)]));
  const of = (service: DeployedService): Attachment =>
    attachments.get(service) ?? attach(deployment, service.networks);
  const gateway = withGateway ? attachGateway(deployment, [...attachments.values()], draft) : undefined;
  const all = new Set(
    [...attachments.values(), ...(gateway === undefined ? [] : [gateway])].flatMap(
      ({ networks }) => networks,
    ),
  );
  const known = deployment.networks.map(({ name }) => name).filter((name) => all.has(name));
  const rest = [...all].filter((name) => !known.includes(name) && name !== DEFAULT_NETWORK);
  return {
    of,
    ...(gateway === undefined ? {} : { gateway }),
    used: [...known, ...rest, ...(all.has(DEFAULT_NETWORK) ? [DEFAULT_NETWORK] : [])],
  };
}

/** Docker takes a container that is on the node's own network, or on none, off all others. */
function attach(deployment: Deployment, names: readonly string[]): Attachment {
  const drivers = new Set(names.map((name) => networkNamed(deployment, name)?.driver ?? name));
  if (drivers.has("host")) return { mode: "host", networks: [] };
  if (drivers.has("none")) return { mode: "none", networks: [] };
  return { networks: names.length === 0 ? [DEFAULT_NETWORK] : [...new Set(names)] };
}

/**
 * The gateway's networks: as written; where nothing is written, all those with a way out that services are on, because a
 * gateway that reaches nobody serves nobody, while an isolated network is only opened to whom the spec names. A port is
 * published on networks with a way out only (moby/moby#36174), so without one it joins the project's own as well.
 */
function attachGateway(
  deployment: Deployment,
  services: readonly Attachment[],
  draft: ComposeDraft,
): Attachment {
  const written = deployment.gateway.networks;
  const joined = [...new Set(services.flatMap(({ networks }) => networks))];
  if (written.length > 0) {
    const own = attach(deployment, written);
    if (own.mode !== undefined) return own;
    const needed = joined.includes(DEFAULT_NETWORK) ? [DEFAULT_NETWORK] : [];
    return opened(deployment, [...new Set([...own.networks, ...needed])], draft);
  }
  return opened(
    deployment,
    joined.filter((name) => !isSealed(networkNamed(deployment, name))),
    draft,
  );
}

function opened(deployment: Deployment, networks: readonly string[], draft: ComposeDraft): Attachment {
  if (networks.some((name) => !isSealed(networkNamed(deployment, name)))) return { networks };
  if (networks.length > 0)
    draft.find({
      code: "render.not-applicable",
      severity: "note",
      path: "gateway.networks",
      message: `All networks of the gateway (${networks.join(", ")}) are without a way out, on which Docker publishes no port: it is on the project's own network as well, alone there.`,
      hint: "Name a network with a way out beside them, to choose which.",
      source: "https://github.com/moby/moby/issues/36174",
    });
  return { networks: [...networks, DEFAULT_NETWORK] };
}
