import { readFileSync } from "node:fs";
import { present } from "../../../core/index.ts";
import { readText } from "../../../inventory/cgroup.ts";
import { linkName, namesIn } from "../../../inventory/folder.ts";
import { linkGeneration } from "../../../inventory/pci-gpus.ts";

/** A function of a PCI device as sysfs shows it. What the kernel does not tell is absent. */
export interface PciFunction {
  /** `0000:f1:00.0`. */
  readonly address: string;
  /** `0000:f1:00`. */
  readonly slot: string;
  /** Vendor and device, `10de:2b85`. */
  readonly id: string;
  /** `0x030000`. */
  readonly class: string;
  /** Has a bus behind it. */
  readonly bridge: boolean;
  readonly driver?: string;
  /** The one driver that may take it. */
  readonly override?: string;
  /** Number of its IOMMU group. */
  readonly group?: string;
  readonly bootVga: boolean;
  /** `D0`, `D3cold`. */
  readonly powerState?: string;
  readonly d3coldAllowed?: boolean;
  readonly powerControl?: "on" | "auto";
  readonly runtimeStatus?: string;
  /** In the order in which the kernel tries them; absent where it knows no way. */
  readonly resetMethods?: readonly string[];
  /** The first four bytes of its configuration are all ones: nobody answers. */
  readonly silent: boolean;
  readonly link: {
    readonly lanes?: number;
    readonly maxLanes?: number;
    readonly generation?: number;
    readonly maxGeneration?: number;
  };
  /** Memory windows by their number; bytes. */
  readonly bars: readonly PciBar[];
}

export interface PciBar {
  readonly number: number;
  readonly start: number;
  readonly size: number;
  readonly wide: boolean;
  /** The kernel found an address for it. */
  readonly assigned: boolean;
}

const DEVICES = "sys/bus/pci/devices/";

/** The functions of the device in a slot (`0000:f1:00`), in order. */
export const functionsOf = (root: string, slot: string): readonly PciFunction[] =>
  namesIn(root + DEVICES)
    .filter((name) => name.startsWith(`${slot}.`))
    .map((name) => readPciFunction(root, name));

/** Reads one function, whether it is there or not: everything is absent then. */
export function readPciFunction(root: string, address: string): PciFunction {
  const at = `${root}${DEVICES}${address}`;
  const file = (name: string): string => readText(`${at}/${name}`).trim();
  const override = file("driver_override");
  const control = file("power/control");
  const resets = file("reset_method").split(/\s+/).filter(Boolean);
  const text = (name: string): string | undefined => file(name) || undefined;
  return {
    address,
    slot: address.replace(/\.[0-7]$/, ""),
    id: `${file("vendor").slice(2)}:${file("device").slice(2)}`.toLowerCase(),
    class: file("class"),
    bridge: file("class").startsWith("0x0604") || namesIn(`${at}/pci_bus`).length > 0,
    bootVga: file("boot_vga") === "1",
    silent: isSilent(`${at}/config`),
    ...present({
      driver: linkName(`${at}/driver`),
      override: override === "" || override === "(null)" ? undefined : override,
      group: linkName(`${at}/iommu_group`),
      powerState: text("power_state"),
      d3coldAllowed: text("d3cold_allowed") === undefined ? undefined : file("d3cold_allowed") === "1",
      powerControl: control === "on" || control === "auto" ? control : undefined,
      runtimeStatus: text("power/runtime_status"),
      resetMethods: resets.length === 0 ? undefined : resets,
    }),
    link: present({
      lanes: lanes(file("current_link_width")),
      maxLanes: lanes(file("max_link_width")),
      generation: linkGeneration(file("current_link_speed")),
      maxGeneration: linkGeneration(file("max_link_speed")),
    }),
    bars: barsIn(file("resource")),
  };
}

/** A width of 0 or 255 is a link that is down or not told. */
const lanes = (text: string): number | undefined =>
  /^\d+$/.test(text) && Number(text) > 0 && Number(text) <= 32 ? Number(text) : undefined;

function isSilent(path: string): boolean {
  try {
    const head = readFileSync(path).subarray(0, 4);
    return head.length === 4 && head.every((byte) => byte === 0xff);
  } catch {
    return false;
  }
}

const MEMORY = 0x200n;
const WIDE = 0x100000n;
const UNSET = 0x20000000n;

/** Lines of start, end and flags; the first six are the BARs. Source: include/linux/ioport.h. */
function barsIn(resource: string): readonly PciBar[] {
  return resource
    .split("\n")
    .slice(0, 6)
    .flatMap((line, number) => {
      const match = /^(0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+)$/.exec(line.trim());
      if (match === null) return [];
      const [start, end, flags] = [BigInt(match[1] ?? 0), BigInt(match[2] ?? 0), BigInt(match[3] ?? 0)];
      if ((flags & MEMORY) === 0n) return [];
      return [
        {
          number,
          start: Number(start),
          size: Number(end - start) + 1,
          wide: (flags & WIDE) !== 0n,
          assigned: start !== 0n && (flags & UNSET) === 0n,
        },
      ];
    });
}
