import type { DeployedService, Deployment } from "../../deployment/index.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import { isSealed, networkNamed } from "./topology.ts";
import type { Topology } from "./topology.ts";

/** Says who cannot be reached and who is not isolated, though the spec asks for it. Rendered as written all the same. */
export function findReachability(
  deployment: Deployment,
  services: readonly DeployedService[],
  topology: Topology,
  draft: ComposeDraft,
): void {
  for (const service of services) {
    leaks(deployment, service, topology, draft);
    onTheNode(service, topology, draft);
    publishesNowhere(deployment, service, topology, draft);
    if (topology.gateway !== undefined) unreachable(service, topology, draft);
  }
  crowds(deployment, services, topology, draft);
}

function leaks(
  deployment: Deployment,
  service: DeployedService,
  topology: Topology,
  draft: ComposeDraft,
): void {
  const { networks } = topology.of(service);
  const inner = networks.find((name) => isSealed(networkNamed(deployment, name)));
  const outer = networks.find((name) => !isSealed(networkNamed(deployment, name)));
  if (inner === undefined || outer === undefined) return;
  draft.note(
    ["services", service.name, "networks"],
    `NOT isolated, as written in omni.yaml: ${inner} has no way out, ${outer} has one, and a container on both uses it (moby/libnetwork#1141). Only the gateway belongs on both.`,
  );
  draft.find({
    code: "render.not-applicable",
    severity: "warning",
    path: `services.${service.name}.networks`,
    message: `${service.name} is rendered on ${inner} and on ${outer}, as written: through ${outer} it reaches everything that the node reaches.`,
    hint: `networks: ${inner}   # and gateway: { networks: [${outer}, ${inner}] }`,
    source: "https://github.com/moby/libnetwork/issues/1141",
  });
}

function onTheNode(service: DeployedService, { of }: Topology, draft: ComposeDraft): void {
  if (of(service).mode !== "host") return;
  draft.find({
    code: "render.not-applicable",
    severity: "warning",
    path: `services.${service.name}.networks`,
    message: `${service.name} is on the node's own network: it listens on port ${service.port} of every address of the node, where engines ask for no key, and is on no other network.`,
    hint: "A network of driver bridge; the gateway is the way in.",
  });
}

function publishesNowhere(
  deployment: Deployment,
  service: DeployedService,
  topology: Topology,
  draft: ComposeDraft,
): void {
  if (service.hostPort === undefined) return;
  const { networks, mode } = topology.of(service);
  if (mode !== undefined || !networks.every((name) => isSealed(networkNamed(deployment, name)))) return;
  draft.note(
    ["services", service.name, "ports"],
    "Without effect, as written in omni.yaml: Docker publishes nothing from a network without a way out (moby/moby#36174). The gateway's port is the way in.",
  );
  draft.find({
    code: "render.not-applicable",
    severity: "warning",
    path: `services.${service.name}.hostPort`,
    message: `${service.name} is on ${networks.join(", ")} only, without a way out, and Docker publishes no port from there: ${service.hostPort} stays closed.`,
    hint: "Leave hostPort away and ask the gateway, which is on both networks.",
    source: "https://github.com/moby/moby/issues/36174",
  });
}

function unreachable(service: DeployedService, { of, gateway }: Topology, draft: ComposeDraft): void {
  const { mode, networks } = of(service);
  if (mode === "host" || networks.some((name) => gateway?.networks.includes(name) === true)) return;
  const where = mode === "none" ? "on no network at all" : `only on ${networks.join(", ")}`;
  draft.find({
    code: "render.not-applicable",
    severity: "warning",
    path: "gateway.networks",
    message: `${service.name} is ${where}, and the gateway is not: no client can reach it.`,
    hint:
      gateway?.mode === "host"
        ? "A gateway on the node's own network knows no container by name; put it on networks instead."
        : `gateway: { networks: [${[...(gateway?.networks ?? []), ...networks].join(", ")}] }`,
  });
}

/** Only Omni's gateway may reach the services of a `gateway-only` network; on one bridge they reach each other as well. */
function crowds(
  deployment: Deployment,
  services: readonly DeployedService[],
  topology: Topology,
  draft: ComposeDraft,
): void {
  for (const { name, isolation } of deployment.networks) {
    const there = services.filter((service) => topology.of(service).networks.includes(name));
    if (isolation !== "gateway-only" || there.length < 2) continue;
    draft.find({
      code: "render.not-applicable",
      severity: "warning",
      path: `networks.${name}.isolation`,
      message: `On one bridge containers reach each other: on ${name} not only the gateway can reach ${there.map((one) => one.name).join(", ")}.`,
      hint: "Give each of them a network of its own, and the gateway all of these.",
    });
  }
}
