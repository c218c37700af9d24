import type { Check } from "./check.ts";
import { CLUSTER_CHECKS } from "./cluster/index.ts";
import { CONTAINER_CHECKS } from "./containers/index.ts";
import { DISK_CHECKS } from "./disks/index.ts";
import { DRIVER_CHECKS } from "./driver/index.ts";
import { NETWORK_CHECKS } from "./network/index.ts";

/** Checks of what stands on the metal: disks, driver, containers, clusters, network. */
export const GUEST_CHECKS: readonly Check[] = [
  ...DISK_CHECKS,
  ...DRIVER_CHECKS,
  ...CONTAINER_CHECKS,
  ...CLUSTER_CHECKS,
  ...NETWORK_CHECKS,
];
