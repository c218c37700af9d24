import { join } from "node:path";
import type { DeployedService, Deployment } from "../../deployment/index.ts";
import type { ClusterObject, ContainerLaunch, LaunchFile, LaunchSpec } from "../../engines/engine.ts";
import { present } from "../../core/index.ts";
import { engineObjects, isTriton, tritonRepository } from "../../render/index.ts";

/** What the container of a service is given. */
export function containerOf(service: DeployedService, deployment: Deployment): ContainerLaunch {
  return {
    image: service.image ?? "",
    mounts: service.mounts.map(({ source, at, readOnly }) =>
      source.kind === "folder"
        ? { source: source.path, kind: "folder" as const, at, readOnly }
        : { source: source.volume, kind: "volume" as const, at, readOnly },
    ),
    cards: service.cards.flatMap(({ uuid, index }) => uuid ?? (index === undefined ? [] : String(index))),
    gpuAccess: deployment.docker.gpus,
    port: service.port,
    networks: service.networks,
    ...present({ shm: service.shm }),
    privileged: service.privileged,
    labels: { ...deployment.docker.labels, ...service.labels },
  };
}

/** Objects of a service on its cluster, as the Kubernetes target renders them. */
export const clusterObjectsOf = (
  service: DeployedService,
  deployment: Deployment,
): readonly ClusterObject[] =>
  engineObjects(service, deployment).flatMap((object): readonly ClusterObject[] => {
    const { apiVersion, kind, metadata } = object;
    if (apiVersion === undefined || kind === undefined || metadata?.name === undefined) return [];
    const { name, namespace, labels, annotations } = metadata;
    return [
      {
        ...object,
        apiVersion,
        kind,
        metadata: { name, ...present({ namespace, labels, annotations }) },
      },
    ];
  });

/** Files that the engine reads at its start, below `folder`. */
export const filesOf = (service: DeployedService, folder: string): readonly LaunchFile[] =>
  isTriton(service)
    ? tritonRepository(service).map(({ path, content }) => ({
        path: join(folder, path),
        content,
        mode: 0o644,
      }))
    : [];

/** Bounds of the process or container. */
export const limitsOf = ({
  memoryLimit,
  cpus,
  numaNode,
}: DeployedService): NonNullable<LaunchSpec["limits"]> => present({ memory: memoryLimit, cpus, numaNode });
