import type { Cluster, Deployment, Host } from "../../../deployment/index.ts";

type Disk = NonNullable<Host["disks"]>[string];

/** A disk of a machine as the nodes of a cluster see it. */
export interface NodeDisk {
  readonly name: string;
  readonly host: Host;
  readonly disk: Disk;
  /** Where it is mounted on the node; absent where the spec does not say. */
  readonly mount?: string;
}

type Place = { readonly path: string; readonly disk?: string; readonly machine?: string };

/** The disk that a path of a node lies on: the one that is named, or the one with the longest mount above the path. */
export function diskOf(place: Place, hosts: Deployment["hosts"]): NodeDisk | undefined {
  const disks = hosts
    .filter((host) => place.machine === undefined || host.name === place.machine)
    .flatMap((host) =>
      Object.entries(host.disks ?? {}).map(([name, disk]): NodeDisk => ({
        name,
        host,
        disk,
        ...(disk.mount === undefined ? {} : { mount: disk.mount }),
      })),
    );
  if (place.disk !== undefined) return disks.find((disk) => disk.name === place.disk);
  return disks
    .filter((disk) => disk.mount !== undefined && below(place.path, disk.mount) !== undefined)
    .toSorted((a, b) => (b.mount ?? "").length - (a.mount ?? "").length)[0];
}

/** What is left of a path under a folder, `""` for the folder itself; undefined when it lies elsewhere. */
export function below(path: string, folder: string): string | undefined {
  const root = folder.replace(/\/+$/, "");
  if (path.split("/").includes("..")) return undefined;
  if (path.replace(/\/+$/, "") === root) return "";
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1).replace(/^\/+|\/+$/g, "") : undefined;
}

/** Nodes that run on a machine; all nodes where the spec binds none of them to it and there is only one machine. */
export function nodesOf(machine: string | undefined, cluster: Cluster): readonly string[] {
  const bound = cluster.nodes.filter((node) => machine !== undefined && node.machine === machine);
  const found = bound.length > 0 ? bound : cluster.nodes.filter((node) => node.machine === undefined);
  return (found.length > 0 || machine !== undefined ? found : cluster.nodes).map((node) => node.name);
}

/** Talos keeps its system read-only and sees /var/mnt read-only from the kubelet, so folders there are never made by it. */
export const isTalos = (cluster: Cluster): boolean =>
  cluster.distribution === "talos" || cluster.talosVersion !== undefined;
