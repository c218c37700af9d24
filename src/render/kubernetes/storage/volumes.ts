import type { V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { Diagnostic } from "../../../core/index.ts";
import type { Cluster, DeployedMount, DeployedService, Deployment } from "../../../deployment/index.ts";
import { objectName } from "../object-name.ts";
import { below, isTalos } from "./node-disk.ts";
import { weightsClaim } from "./weights-claim.ts";

/** Volumes of a pod and their mounts in one container, in the order of the service's mounts. */
export interface PodVolumes {
  readonly volumes: readonly V1Volume[];
  readonly mounts: readonly V1VolumeMount[];
  readonly diagnostics: readonly Diagnostic[];
}

interface Source {
  readonly volume: Omit<V1Volume, "name">;
  readonly subPath?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The folders and volumes of a service as its pod sees them. Weights come by the cluster's way (folder of the node, Talos
 * user volume, claim), everything else from a folder, or from a claim where the mount names a volume.
 */
export function volumesOf(
  service: DeployedService,
  cluster: Cluster,
  hosts: Deployment["hosts"],
): PodVolumes {
  const sources = service.mounts.map((mount) => ({
    mount,
    source: sourceOf(mount, service, cluster, hosts),
  }));
  return {
    volumes: sources.map(({ mount, source }) => ({ name: mount.name, ...source.volume })),
    mounts: sources.map(({ mount, source }) => ({
      name: mount.name,
      mountPath: mount.at,
      ...(mount.readOnly ? { readOnly: true } : {}),
      ...(source.subPath === undefined || source.subPath === "" ? {} : { subPath: source.subPath }),
      ...propagation(mount, service),
    })),
    diagnostics: sources.flatMap(({ mount, source }) => [
      ...source.diagnostics,
      ...climbing(mount, service),
      ...propagationDiagnostics(mount, service),
    ]),
  };
}

function sourceOf(
  mount: DeployedMount,
  service: DeployedService,
  cluster: Cluster,
  hosts: Deployment["hosts"],
): Source {
  const { source } = mount;
  if (source.kind === "volume") {
    const subPath = source.path?.replaceAll(/^\/+|\/+$/g, "");
    return {
      volume: { persistentVolumeClaim: { claimName: objectName(source.volume) } },
      ...(subPath === undefined ? {} : { subPath }),
      diagnostics: [],
    };
  }
  if (mount.purpose === "weights" && cluster.weights === "claim") {
    const machine = service.machine === undefined ? {} : { machine: service.machine };
    const claim = weightsClaim({ ...source, ...machine }, cluster, hosts);
    return {
      volume: { persistentVolumeClaim: { claimName: claim.name } },
      subPath: claim.within,
      diagnostics: [],
    };
  }
  const made = source.create && !(isTalos(cluster) && below(source.path, "/var/mnt") !== undefined);
  return {
    volume: { hostPath: { path: source.path, type: made ? "DirectoryOrCreate" : "Directory" } },
    diagnostics: folderDiagnostics(mount, source.path, source.create && !made, service, cluster),
  };
}

function folderDiagnostics(
  mount: DeployedMount,
  path: string,
  notMade: boolean,
  service: DeployedService,
  cluster: Cluster,
): Diagnostic[] {
  const where = `services.${service.replicaOf ?? service.name}.mounts`;
  const found: Diagnostic[] = [];
  if (notMade) {
    found.push({
      code: "render.not-applicable",
      severity: "warning",
      path: where,
      message: `${path} is not made by the kubelet: on Talos it sees /var/mnt read-only, and on a missing volume the folder would fill the system partition.`,
      hint: "Leave create away; the volume is a Talos user volume or prepared before, the folder comes with the download.",
      source: "siderolabs/talos v1.12 kubelet.go (/var/mnt is mounted rbind,rshared,ro)",
    });
  }
  if (mount.purpose === "weights" && cluster.weights === "user-volume" && !(below(path, "/var/mnt") ?? "")) {
    found.push({
      code: "render.not-applicable",
      severity: "warning",
      path: where,
      message: `${path} is no folder of a Talos user volume: these are mounted at /var/mnt/NAME.`,
      hint: "Put the weights below /var/mnt/NAME, or ask for weights: host-path.",
    });
  }
  return found;
}

/** The API server refuses `..` in hostPath and subPath, and with it the whole pod. */
function climbing({ source }: DeployedMount, service: DeployedService): Diagnostic[] {
  if (source.path?.split("/").includes("..") !== true) return [];
  return [
    {
      code: "render.not-applicable",
      severity: "error",
      path: `services.${service.replicaOf ?? service.name}.mounts`,
      message: `Kubernetes takes no path with "..", and ${source.path} has it: the pod is refused.`,
      hint: "Write the path that is meant.",
      source: "kubernetes pkg/apis/core/validation (validatePathNoBacksteps)",
    },
  ];
}

/** The API server refuses Bidirectional to containers that are not privileged; what they can have is HostToContainer. */
function propagation(
  mount: DeployedMount,
  service: DeployedService,
): Pick<V1VolumeMount, "mountPropagation"> {
  if (mount.propagation === undefined || mount.propagation === "None") return {};
  const refused = mount.propagation === "Bidirectional" && !service.privileged;
  return { mountPropagation: refused ? "HostToContainer" : mount.propagation };
}

function propagationDiagnostics(mount: DeployedMount, service: DeployedService): Diagnostic[] {
  if (mount.propagation !== "Bidirectional" || service.privileged) return [];
  return [
    {
      code: "render.not-applicable",
      severity: "warning",
      path: `services.${service.replicaOf ?? service.name}.mounts`,
      message: `${mount.at} asks for Bidirectional propagation, which Kubernetes gives to privileged containers only; HostToContainer is rendered.`,
      hint: "Drop propagation: an engine only has to see what the node mounts.",
      source: "kubernetes.io/docs/concepts/storage/volumes/#mount-propagation",
    },
  ];
}
