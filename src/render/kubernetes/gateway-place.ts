import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { servicePath, servicesOf } from "./labels.ts";
import { objectName } from "./object-name.ts";
import { engineAddress } from "./service.ts";

/** Names of the gateway's objects; they carry the deployment's, because two deployments may share a namespace. */
export const gatewayName = (deployment: Deployment): string => nameOf(deployment, "gateway");
export const mcpName = (deployment: Deployment): string => nameOf(deployment, "mcp");
export const commandModuleName = (deployment: Deployment): string => nameOf(deployment, "command-module");

/**
 * A name that a Service can have too, because it begins with a letter, and that no service of the spec has: one of the
 * two would replace the other when it is applied.
 */
function nameOf({ name, services }: Deployment, part: string): string {
  const taken = new Set(services.map((service) => service.name));
  const parts = [...(/^[a-z]/.test(name) ? [] : ["omni"]), name];
  let own = objectName(...parts, part);
  for (let turn = 2; taken.has(own); turn += 1) own = objectName(...parts, part, `${turn}`);
  return own;
}

/** What finds the gateway's pods. */
export const gatewayLabelled = (deployment: Deployment) =>
  ({ name: "omni-gateway", instance: gatewayName(deployment), component: "gateway" }) as const;

/** The gateway runs on Kubernetes where the deployment does, in the first cluster that has a service of it. */
export function hasGateway(deployment: Deployment, cluster: Cluster): boolean {
  if (deployment.runtime !== "kubernetes") return false;
  const home =
    deployment.clusters.find((one) => servicesOf(deployment, one).length > 0) ?? deployment.clusters[0];
  return home?.name === cluster.name;
}

/** Where the gateway's pod reaches an engine; nothing where the spec does not say how. */
export function addressFrom(
  service: DeployedService,
  deployment: Deployment,
  cluster: Cluster,
): string | undefined {
  const runsIn = (one: Cluster): boolean =>
    servicesOf(deployment, one).some(({ name }) => name === service.name);
  if (runsIn(cluster)) return engineAddress(service, cluster);
  if (service.runtime === "kubernetes") {
    const other = deployment.clusters.find(runsIn);
    const node = other?.nodes.find(({ name, address }) =>
      service.node === undefined ? address !== undefined : name === service.node,
    );
    return node?.address === undefined || service.nodePort === undefined
      ? undefined
      : `http://${node.address}:${service.nodePort}`;
  }
  const host = deployment.hosts.find(({ name }) => name === service.machine) ?? deployment.hosts[0];
  const port = service.runtime === "docker" ? service.hostPort : service.port;
  return host?.address === undefined || port === undefined ? undefined : `http://${host.address}:${port}`;
}

/** An address that resolves nowhere (RFC 6761), so that a missing one fails by name and not by chance. */
export const unreachable = (service: DeployedService): string =>
  `http://${service.name}.invalid:${service.port}`;

export const unreachableDiagnostic = (service: DeployedService, cluster: Cluster): Diagnostic => ({
  code: "render.needs-value",
  severity: "error",
  path: servicePath(service),
  message: `The gateway in the cluster ${cluster.name} has no way to ${service.name}, which runs elsewhere (${service.runtime}): no address and port of it are known there.`,
  hint:
    service.runtime === "kubernetes"
      ? `${servicePath(service)}.nodePort, and the address of its node`
      : `${servicePath(service)}.hostPort, and the address of its machine`,
});
