import { isOlderThan } from "../../catalog/index.ts";
import type { Cluster } from "../../deployment/index.ts";
import { isTalos } from "./storage/node-disk.ts";

/** How the GPU operator gets on with a cluster's nodes, decided once; nothing else compares versions of Talos here. */
export interface GpuContract {
  /** The driver is part of the node's image, so the operator must not install its own. */
  readonly driverInImage: boolean;
  /** The same of the container toolkit; Talos 1.15 leaves it to the operator (docs.siderolabs.com/talos/v1.15 nvidia-gpu). */
  readonly toolkitInImage: boolean;
  /**
   * Whether the operator's validator finds the driver by itself: not before Talos 1.13, where it loops on "Attempting to
   * validate a driver container installation". Source: NVIDIA/gpu-operator#1687.
   */
  readonly validates: boolean;
}

/** First Talos whose documentation has the operator validate by itself (hostPaths.driverInstallDir). */
const VALIDATES_FROM = "1.13.0";
/** First Talos whose extension nvidia-container-toolkit no longer includes the toolkit. */
const WITHOUT_TOOLKIT_FROM = "1.15.0";

export function gpuContractOf(cluster: Cluster): GpuContract {
  const talos = isTalos(cluster);
  const { talosVersion } = cluster;
  return {
    driverInImage: talos,
    toolkitInImage: talos && (talosVersion === undefined || isOlderThan(WITHOUT_TOOLKIT_FROM, talosVersion)),
    validates: !talos || !isOlderThan(VALIDATES_FROM, talosVersion),
  };
}
