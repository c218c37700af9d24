import type { Cluster, Deployment } from "../../../deployment/index.ts";
import { objectName } from "../object-name.ts";
import { below, diskOf, type NodeDisk } from "./node-disk.ts";

/** A claim that stands for a folder of the node, or for storage that a class provides, and where a path lies in it. */
export interface WeightsClaim {
  readonly name: string;
  /** Folder of the node that the root of the volume is; absent where a storage class provides it. */
  readonly root?: string;
  /** Path within the volume; `""` for its root. */
  readonly within: string;
  readonly disk?: NodeDisk;
  readonly machine?: string;
}

type Place = { readonly path: string; readonly disk?: string; readonly machine?: string };

/**
 * The claim that holds a path of weights: one per disk of a machine, so that all models of a disk share one volume; one
 * per folder where no disk is known. With a storage class there is no folder, and the path becomes one within the volume.
 */
export function weightsClaim(place: Place, cluster: Cluster, hosts: Deployment["hosts"]): WeightsClaim {
  const disk = diskOf(place, hosts);
  const machine = place.machine ?? disk?.host.name;
  const owner = hosts.length > 1 && machine !== undefined ? [machine] : [];
  const seen = { ...(disk === undefined ? {} : { disk }), ...(machine === undefined ? {} : { machine }) };
  const inside = disk?.mount === undefined ? undefined : below(place.path, disk.mount);
  if (disk?.mount !== undefined && inside !== undefined) {
    const root = cluster.storageClass === undefined ? { root: disk.mount } : {};
    return { name: objectName("weights", ...owner, disk.name), ...root, within: inside, ...seen };
  }
  if (cluster.storageClass !== undefined) {
    const name = objectName("weights", ...owner, ...(disk === undefined ? [] : [disk.name]));
    return { name, within: place.path.replaceAll(/^\/+|\/+$/g, ""), ...seen };
  }
  return { name: objectName("weights", ...owner, place.path), root: place.path, within: "", ...seen };
}
