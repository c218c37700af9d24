/**
 * IOMMU: whether devices can be handed over at all, and what has to go together. Never here: the cards themselves.
 */
import type { Check } from "../check.ts";
import { acsOverride } from "./acs-override.ts";
import { directMappings } from "./direct-mappings.ts";
import { groups } from "./groups.ts";
import { interruptRemapping } from "./interrupt-remapping.ts";
import { iommuOn } from "./iommu-on.ts";

export const IOMMU_CHECKS: readonly Check[] = [
  iommuOn,
  groups,
  directMappings,
  interruptRemapping,
  acsOverride,
];
