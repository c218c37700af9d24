import { BOOT_CHECKS } from "./boot/index.ts";
import { CARD_CHECKS } from "./cards/index.ts";
import type { Check } from "./check.ts";
import { IOMMU_CHECKS } from "./iommu/index.ts";
import { MEMORY_CHECKS } from "./memory/index.ts";
import { SYSTEM_CHECKS } from "./system/index.ts";

/** What is screwed into a host and how it boots, in the order in which one thing rests on another. */
export const METAL_CHECKS: readonly Check[] = [
  ...SYSTEM_CHECKS,
  ...BOOT_CHECKS,
  ...IOMMU_CHECKS,
  ...CARD_CHECKS,
  ...MEMORY_CHECKS,
];
