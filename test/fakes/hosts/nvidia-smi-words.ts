import type { HostTree } from "./host-tree.ts";

/** What nvidia-smi says of one card, by the names of its fields; all others are `[N/A]`. */
export type SmiCard = Readonly<Record<string, string>>;

/** A healthy RTX 5090 at rest, in the words of driver 580. */
export const HEALTHY: SmiCard = {
  index: "0",
  uuid: "GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601",
  gpu_bus_id: "00000000:11:00.0",
  name: "NVIDIA GeForce RTX 5090",
  "pci.bus_id": "00000000:11:00.0",
  "pci.device_id": "0x2B8510DE",
  compute_cap: "12.0",
  driver_version: "580.105.08",
  "memory.total": "32607",
  "memory.used": "2",
  "memory.reserved": "487",
  "temperature.gpu": "34",
  "power.draw": "14.50",
  persistence_mode: "Enabled",
  "enforced.power.limit": "600.00",
  "power.max_limit": "600.00",
  "clocks_event_reasons.active": "0x0000000000000001",
  "utilization.gpu": "0",
  "pcie.link.gen.current": "1",
  "pcie.link.gen.max": "5",
  "pcie.link.width.current": "16",
};

const BANNER = "| NVIDIA-SMI 580.105.08   Driver Version: 580.105.08   CUDA Version: 13.0 |\n";

/** A program that answers the two kinds of query with a line a card, as `--format=csv,noheader,nounits` prints it. */
export const nvidiaSmi =
  (...cards: readonly SmiCard[]): HostTree["commands"][string] =>
  (args) => {
    const fields = /^--query-(?:gpu|remapped-rows)=(.*)$/.exec(args[0] ?? "")?.[1]?.split(",");
    if (fields === undefined) return BANNER;
    return cards.map((card) => `${fields.map((field) => card[field] ?? "[N/A]").join(", ")}\n`).join("");
  };
