import type {
  V1PodSecurityContext,
  V1SecurityContext,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
import type { Cluster, DeployedModel, Deployment } from "../../../deployment/index.ts";
import type { Data } from "../object.ts";
import { NOBODY, RESTRICTED } from "../security-context.ts";
import { below, diskOf, isTalos } from "./node-disk.ts";
import { weightsClaim } from "./weights-claim.ts";

/** Where a download writes, as its pod sees it. */
export interface DownloadPlace {
  readonly volume: Omit<Data<V1Volume>, "name">;
  readonly mount: Omit<Data<V1VolumeMount>, "name">;
  /** Folder of the model in the container. */
  readonly target: string;
  /** Mount point in the container that has to be a disk; absent where it may be a folder of the system. */
  readonly disk?: string;
  readonly pod: { readonly securityContext?: V1PodSecurityContext };
  readonly container: Data<V1SecurityContext>;
  /** One sentence on the user, for the comment. */
  readonly rights: string;
}

/** Where the volume is mounted in the pod. */
const ROOT = "/storage";

const OWNED_BY_ROOT = {
  pod: {},
  // The image's own user is another, and could not write there.
  container: {
    runAsUser: 0,
    runAsGroup: 0,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
  rights:
    "It runs as root without any capability, because folders of the node belong to root and hostPath knows no fsGroup.",
};

/** The folder that a model's files are downloaded into; a path that names one file stands for its folder. */
export const modelFolder = ({ path }: Pick<DeployedModel, "path">): string =>
  /\.(?:gguf|safetensors)$/i.test(path) ? path.replace(/\/+[^/]*$/, "") || "/" : path.replace(/\/+$/, "");

/** The place of a model's download in a cluster. */
export function downloadPlace(model: DeployedModel, deployment: Deployment, cluster: Cluster): DownloadPlace {
  const { hosts } = deployment;
  const folder = modelFolder(model);
  const place = {
    path: folder,
    ...(model.disk === undefined ? {} : { disk: model.disk }),
    ...(model.machine === undefined ? {} : { machine: model.machine }),
  };
  if (cluster.weights === "claim") return claimed(place, cluster, hosts);
  const disk = diskOf(place, hosts);
  const mount = disk?.mount ?? talosVolume(folder, cluster);
  const inside = mount === undefined ? undefined : below(folder, mount);
  if (mount === undefined || mount === "/" || inside === undefined) return plainFolder(folder, cluster);
  if (disk?.disk.prepare === "pod") return besideDisk(mount, inside);
  const checked = !isFolderVolume(mount, deployment, cluster);
  return {
    volume: { hostPath: { path: mount, type: "Directory" } },
    mount: { mountPath: ROOT },
    target: inside === "" ? ROOT : `${ROOT}/${inside}`,
    ...(checked ? { disk: ROOT } : {}),
    ...OWNED_BY_ROOT,
  };
}

function claimed(
  place: Parameters<typeof weightsClaim>[0],
  cluster: Cluster,
  hosts: Deployment["hosts"],
): DownloadPlace {
  const claim = weightsClaim(place, cluster, hosts);
  return {
    volume: { persistentVolumeClaim: { claimName: claim.name } },
    mount: { mountPath: ROOT },
    target: claim.within === "" ? ROOT : `${ROOT}/${claim.within}`,
    ...(claim.root !== undefined && claim.disk?.mount === claim.root ? { disk: ROOT } : {}),
    pod: { securityContext: { fsGroup: NOBODY, fsGroupChangePolicy: "OnRootMismatch" } },
    container: RESTRICTED,
    rights: "It runs as a user without a name; fsGroup lets that user write into the volume.",
  };
}

/**
 * A disk that a pod mounts may be mounted after this pod has started, or be lost at a reboot. The folder above it is
 * mounted with propagation, so that the pod sees the disk come and the check sees whether it is there.
 */
function besideDisk(mount: string, inside: string): DownloadPlace {
  const cut = mount.lastIndexOf("/");
  const disk = `${ROOT}${mount.slice(cut)}`;
  return {
    volume: { hostPath: { path: mount.slice(0, cut) || "/", type: "Directory" } },
    mount: { mountPath: ROOT, mountPropagation: "HostToContainer" },
    target: inside === "" ? disk : `${disk}/${inside}`,
    disk,
    ...OWNED_BY_ROOT,
  };
}

/** A folder on no disk that the spec knows: made where it is missing, but never below /var/mnt on Talos. */
function plainFolder(folder: string, cluster: Cluster): DownloadPlace {
  const type =
    isTalos(cluster) && below(folder, "/var/mnt") !== undefined ? "Directory" : "DirectoryOrCreate";
  return {
    volume: { hostPath: { path: folder, type } },
    mount: { mountPath: ROOT },
    target: ROOT,
    ...OWNED_BY_ROOT,
  };
}

/** The user volume that a path below /var/mnt lies on. */
function talosVolume(path: string, cluster: Cluster): string | undefined {
  const inside = isTalos(cluster) ? below(path, "/var/mnt") : undefined;
  const name = inside?.split("/")[0] ?? "";
  return name === "" ? undefined : `/var/mnt/${name}`;
}

/** A user volume of type directory is a folder of the system partition by its owner's wish. */
function isFolderVolume(mount: string, deployment: Deployment, cluster: Cluster): boolean {
  const volumes = deployment.guests.find(({ name }) => name === cluster.guest)?.talos?.userVolumes ?? {};
  return volumes[mount.replace(/^\/var\/mnt\//, "")]?.type === "directory";
}
