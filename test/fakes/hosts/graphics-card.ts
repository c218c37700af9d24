import { addFunction } from "./host-tree.ts";
import type { HostTree } from "./host-tree.ts";

export interface FakeCard {
  /** `0000:f1:00`. */
  readonly slot: string;
  readonly id: string;
  readonly group?: number;
  readonly driver: "vfio-pci" | "nvidia";
  readonly bootVga?: boolean;
}

/** 64 MiB of registers, 128 GiB of memory above 4 GiB, 32 MiB more. Flags as the kernel writes them for an NVIDIA card. */
const RESOURCE = [
  "0x00000000f4000000 0x00000000f7ffffff 0x0000000000040200",
  "0x0000028000000000 0x0000029fffffffff 0x000000000014220c",
  "0x0000000000000000 0x0000000000000000 0x0000000000000000",
  "0x000002a000000000 0x000002a001ffffff 0x000000000014220c",
  "0x0000000000000000 0x0000000000000000 0x0000000000000000",
  "0x000000000000e000 0x000000000000e07f 0x0000000000040101",
].join("\n");

/** A card with its display and its sound, awake and idle: the link of an idle card runs at Gen1. */
export function addCard(tree: HostTree, { slot, id, group, driver, bootVga = false }: FakeCard): void {
  const awake = {
    power_state: "D0",
    d3cold_allowed: "0",
    "power/control": "on",
    "power/runtime_status": "active",
    numa_node: "0",
  };
  const link = {
    current_link_speed: "2.5 GT/s PCIe",
    max_link_speed: "32.0 GT/s PCIe",
    current_link_width: "16",
    max_link_width: "16",
  };
  const shared = group === undefined ? {} : { group };
  addFunction(tree, {
    address: `${slot}.0`,
    id,
    class: "030000",
    ...shared,
    driver,
    files: { ...awake, ...link, reset_method: "flr bus", boot_vga: bootVga ? "1" : "0", resource: RESOURCE },
  });
  addFunction(tree, {
    address: `${slot}.1`,
    id: "10de:22e8",
    class: "040300",
    ...shared,
    driver: driver === "nvidia" ? "snd_hda_intel" : driver,
    files: awake,
  });
}
