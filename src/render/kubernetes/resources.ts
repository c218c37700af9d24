import type { V1ResourceRequirements } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { servicePath, servicesOf } from "./labels.ts";
import type { Data } from "./object.ts";
import { withoutCounting } from "./owner-choices.ts";
import type { Pinning } from "./pinning.ts";
import { cpuQuantity, memoryQuantity, quantityOf } from "./quantity.ts";

type Amounts = Readonly<Record<string, string>>;

export interface Resources {
  readonly resources: V1ResourceRequirements;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Requests and limits of an engine: main memory of the plan, /dev/shm within it (its pages count against the limit), CPUs
 * for its threads, cards by the pinning; then what the owner wrote, which wins.
 */
export function resourcesOf(
  service: DeployedService,
  deployment: Deployment,
  cluster: Cluster,
  pinning: Pinning,
): Resources {
  const path = `${servicePath(service)}.resources`;
  const requests = withoutCounting(service.resources?.requests ?? {}, pinning, `${path}.requests`);
  const limits = withoutCounting(service.resources?.limits ?? {}, pinning, `${path}.limits`);
  const planned = plannedOf(service, deployment, cluster);
  const merged = {
    requests: { ...planned.requests, ...texts(requests.resources) },
    limits: { ...planned.limits, ...texts(limits.resources), ...countedTwice(requests.resources) },
  };
  const fitted = requestsWithin(merged.requests, merged.limits, path);
  return {
    resources: {
      ...pinning.resources,
      ...section("requests", fitted.requests),
      ...section("limits", { ...merged.limits, ...pinning.resources.limits }),
    },
    diagnostics: [
      ...requests.diagnostics,
      ...limits.diagnostics,
      ...fitted.diagnostics,
      ...belowPlan(service, merged.limits, path),
    ],
  };
}

const texts = (amounts: Readonly<Record<string, string | number>>): Amounts =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, `${amount}`]));

const section = (name: "requests" | "limits", amounts: Amounts): Data<V1ResourceRequirements> =>
  Object.keys(amounts).length === 0 ? {} : { [name]: { ...amounts } };

/** Resources of devices and hugepages are limits first: the API server refuses a request without an equal limit. */
const countedTwice = (requests: Readonly<Record<string, string | number>>): Amounts =>
  texts(Object.fromEntries(Object.entries(requests).filter(([name]) => /\/|^hugepages-/.test(name))));

function plannedOf(
  service: DeployedService,
  deployment: Deployment,
  cluster: Cluster,
): { readonly requests: Amounts; readonly limits: Amounts } {
  const memory = Math.max(service.memoryRequest, service.shm ?? 0);
  const millicores = cpuRequests(deployment, cluster).get(service.name) ?? 0;
  return {
    requests: {
      ...(millicores > 0 ? { cpu: cpuQuantity(millicores) } : {}),
      ...(memory > 0 ? { memory: memoryQuantity(memory) } : {}),
    },
    limits:
      service.memoryLimit === undefined
        ? {}
        : { memory: memoryQuantity(Math.max(service.memoryLimit, memory)) },
  };
}

/** Requests above their limits are lowered to them, because the API server refuses such a pod. */
function requestsWithin(
  requests: Amounts,
  limits: Amounts,
  path: string,
): { readonly requests: Amounts; readonly diagnostics: readonly Diagnostic[] } {
  const above = Object.entries(requests).filter(([name, amount]) => {
    const [asked, most] = [quantityOf(amount), quantityOf(limits[name] ?? amount)];
    return asked !== undefined && most !== undefined && asked > most;
  });
  return {
    requests: { ...requests, ...Object.fromEntries(above.map(([name]) => [name, limits[name] ?? ""])) },
    diagnostics: above.map(([name, amount]) => ({
      code: "render.not-applicable",
      severity: "warning",
      path: `${path}.limits.${name}`,
      message: `The request of ${name} is ${amount} and its limit ${limits[name] ?? ""}: Kubernetes takes no request above the limit, so the limit is requested.`,
      hint: `Raise limits.${name} to ${amount} or more.`,
    })),
  };
}

/** An owner's limit below what the plan predicts ends the engine (OOM) before it has loaded. */
function belowPlan(service: DeployedService, limits: Amounts, path: string): Diagnostic[] {
  const limit = quantityOf(limits["memory"] ?? "");
  const needed = Math.max(service.memoryRequest, service.shm ?? 0);
  if (limit === undefined || limit >= needed) return [];
  return [
    {
      code: "render.not-applicable",
      severity: "warning",
      path: `${path}.limits.memory`,
      message: `${limits["memory"] ?? ""} is less than the ${memoryQuantity(needed)} that the plan predicts with /dev/shm, whose pages count against the limit; the engine would be killed.`,
      hint: `resources.limits.memory: ${memoryQuantity(needed)}`,
    },
  ];
}

const threads = (service: DeployedService): number => Math.max(1, service.threads);

/**
 * Thousandths of a CPU that each service of a cluster requests: one CPU a thread, scaled down together where a node has
 * fewer to give. A request is a share and a condition for a place, not a bound: all of an idle node's CPUs stay usable,
 * and a request of every CPU would never find a place, because the system's own pods have theirs.
 */
function cpuRequests(deployment: Deployment, cluster: Cluster): ReadonlyMap<string, number> {
  const running = servicesOf(deployment, cluster);
  return new Map(
    running.map((service) => {
      const together = running.filter(
        (other) => (other.refused === undefined || other === service) && other.machine === service.machine,
      );
      const total = together.reduce((sum, other) => sum + threads(other), 0);
      const cpus = cpusOf(service, deployment, cluster);
      const given = cpus === undefined ? total : Math.max(1, Math.floor(cpus * 0.9) - 1);
      return [service.name, Math.floor(1000 * threads(service) * Math.min(1, given / total))];
    }),
  );
}

/** CPUs of the node that a service runs on: the VM's, or the machine's. */
function cpusOf(service: DeployedService, deployment: Deployment, cluster: Cluster): number | undefined {
  const { guests } = deployment;
  const vm = (
    guests.find((guest) => guest.machine !== undefined && guest.machine === service.machine) ??
    guests.find(({ name }) => name === cluster.guest)
  )?.vm;
  if (vm !== undefined) return vm.cores * (vm.sockets ?? 1);
  const host = deployment.hosts.find(({ name }) => name === service.machine);
  return host?.cpu?.threads ?? host?.cpu?.cores;
}
