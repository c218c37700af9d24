import { findEngineMetrics } from "../../catalog/index.ts";
import type { EngineMetrics } from "../../catalog/index.ts";
import type { Cluster, DeployedCard, DeployedService, Deployment } from "../../deployment/index.ts";

/** A service whose metrics are scraped, and what it exports. */
export interface WatchedService {
  readonly service: DeployedService;
  /** Path and port of its metrics; absent for engines that have none: then only the gateway knows of it. */
  readonly metrics?: { readonly path: string; readonly port: number };
  readonly names?: EngineMetrics;
}

/**
 * Who exports what in this deployment. Alerts are written from this alone: a rule on a metric that nobody exports would
 * stay silent for ever and look like peace.
 */
export interface MetricSources {
  /** Services that start; those that the plan refused are not watched. */
  readonly services: readonly WatchedService[];
  readonly refused: readonly DeployedService[];
  readonly gateway: boolean;
  /** Omni on the machine itself, with its own view of cards and disks. */
  readonly node: boolean;
  /** Cards by dcgm-exporter: the GPU operator's, or one that this target renders. */
  readonly dcgm?: "operator" | "daemonset" | "compose";
  /** Disks and memory of the host by node-exporter, which this target renders for Docker. */
  readonly nodeExporter: boolean;
  readonly cards: readonly DeployedCard[];
  readonly docker: readonly DeployedService[];
  /** Clusters that services run in, those first that have cards. */
  readonly clusters: readonly Cluster[];
}

export function metricSources(deployment: Deployment): MetricSources {
  const watched = deployment.services.filter(({ refused }) => refused === undefined);
  const docker = watched.filter(({ runtime }) => runtime === "docker");
  const clusters = deployment.clusters.filter((cluster) =>
    deployment.services.some(
      (service) => service.runtime === "kubernetes" && (service.cluster ?? cluster.name) === cluster.name,
    ),
  );
  const cards = distinctCards(deployment.services);
  const hasDocker = deployment.services.some(({ runtime }) => runtime === "docker");
  const dcgm = cards.length === 0 ? undefined : dcgmOf(hasDocker, clusters);
  return {
    services: watched.map(watch),
    refused: deployment.services.filter(({ refused }) => refused !== undefined),
    gateway: deployment.gateway.metricsPath !== undefined,
    node: deployment.runtime === "process" && deployment.gateway.metricsPath !== undefined,
    ...(dcgm === undefined ? {} : { dcgm }),
    nodeExporter: hasDocker,
    cards,
    docker,
    clusters,
  };
}

function watch(service: DeployedService): WatchedService {
  const { start, port, kind } = service;
  const names = findEngineMetrics(kind);
  return {
    service,
    ...(start.metrics === undefined
      ? {}
      : { metrics: { path: start.metrics.path, port: start.metrics.port ?? port } }),
    ...(start.metrics === undefined || names === undefined ? {} : { names }),
  };
}

const dcgmOf = (docker: boolean, clusters: readonly Cluster[]): MetricSources["dcgm"] => {
  if (docker) return "compose";
  const [cluster] = clusters;
  if (cluster === undefined) return undefined;
  return cluster.gpuOperator === undefined ? "daemonset" : "operator";
};

/** Cards that services are on, each once. */
function distinctCards(services: readonly DeployedService[]): readonly DeployedCard[] {
  const byName = new Map(
    services.flatMap(({ cards }) => cards).map((card) => [`${card.machine}/${card.name}`, card] as const),
  );
  return [...byName.values()];
}
