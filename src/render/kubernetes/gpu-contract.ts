import { isOlderThan } from "../../catalog/index.ts";
import type { Cluster } from "../../deployment/index.ts";
import { isTalos } from "./storage/node-disk.ts";

/** How the GPU operator gets on with a cluster's nodes, decided once; nothing else compares versions of Talos here. */
export interface GpuContract {
  /** Driver and toolkit are part of the node's image, so the operator must not install its own. */
  readonly driverInImage: boolean;
  /**
   * Whether the operator's validator finds the driver by itself: not before Talos 1.13, where it loops on "Attempting to
   * validate a driver container installation". Source: NVIDIA/gpu-operator#1687.
   */
  readonly validates: boolean;
}

/** First Talos whose documentation has the operator validate by itself (hostPaths.driverInstallDir). */
const VALIDATES_FROM = "1.13.0";

export function gpuContractOf(cluster: Cluster): GpuContract {
  const talos = isTalos(cluster);
  const old = cluster.talosVersion !== undefined && isOlderThan(VALIDATES_FROM, cluster.talosVersion);
  return { driverInImage: talos, validates: !talos || !old };
}
