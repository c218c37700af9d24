import type { Check } from "./check.ts";
import { CLUSTER_CHECKS } from "./cluster/index.ts";
import { CONTAINER_CHECKS } from "./containers/index.ts";
import { DISK_CHECKS } from "./disks/index.ts";
import { DRIVER_CHECKS } from "./driver/index.ts";
import { METAL_CHECKS } from "./metal-checks.ts";
import { NETWORK_CHECKS } from "./network/index.ts";

/** Every check, in the order of the groups. */
export const CHECKS: readonly Check[] = [
  ...METAL_CHECKS,
  ...DISK_CHECKS,
  ...DRIVER_CHECKS,
  ...CONTAINER_CHECKS,
  ...CLUSTER_CHECKS,
  ...NETWORK_CHECKS,
];
