import { findGpu, PCI_GPUS } from "../../catalog/index.ts";
import type { PassedCard } from "./proxmox-host.ts";

/**
 * PCI ids that a card of this model may have, from the spec or else the catalog; empty where neither knows. Scripts
 * compare them with the machine before they touch a device: an address that moved must not take another card.
 */
export function knownIds({ gpu }: PassedCard): readonly string[] {
  if (gpu.ids !== undefined && gpu.ids.length > 0) return gpu.ids;
  const model = findGpu(gpu.model)?.name ?? gpu.model;
  return [...PCI_GPUS.values()].filter(({ models }) => models.includes(model)).map(({ id }) => id);
}
