import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { findPciGpu } from "../catalog/index.ts";
import { readText } from "./cgroup.ts";
import { linkName, namesIn } from "./folder.ts";
import { given } from "./given.ts";
import type { GpuInventory } from "./machine.ts";
import { pciAddressOf } from "./pci-address.ts";

const VENDORS: ReadonlyMap<string, GpuInventory["vendor"]> = new Map([
  ["10de", "nvidia"],
  ["1002", "amd"],
  ["8086", "intel"],
]);

/** VGA, 3D and other display controllers, and AMD's accelerators. Source: PCI Code and ID Assignment Specification. */
const DISPLAY_CLASSES = /^0x(?:0300|0302|0380|1200)/;

/** Generation by GT/s of a lane. Source: PCI Express Base Specification. */
const GENERATIONS: ReadonlyMap<number, number> = new Map([
  [2.5, 1],
  [5, 2],
  [8, 3],
  [16, 4],
  [32, 5],
  [64, 6],
]);

/** Generation of a link from how sysfs writes its speed, `32.0 GT/s PCIe`; `undefined` for `Unknown`. */
export const linkGeneration = (speed: string): number | undefined =>
  GENERATIONS.get(Number.parseFloat(speed));

/**
 * The cards on the PCI bus, whatever driver owns them, in order of their address: those handed to vfio-pci and those
 * without a driver too. Virtual functions are left out. `root` stands for `/` in tests.
 */
export function observePciGpus(root = "/"): GpuInventory[] {
  const folder = `${root}sys/bus/pci/devices/`;
  return namesIn(folder).flatMap((name) => observeDevice(`${folder}${name}`) ?? []);
}

function observeDevice(device: string): GpuInventory | undefined {
  const file = (name: string): string => readText(`${device}/${name}`).trim();
  const vendorId = file("vendor").slice(2).toLowerCase();
  const vendor = VENDORS.get(vendorId);
  const pci = pciAddressOf(basename(device));
  if (vendor === undefined || pci === undefined || !DISPLAY_CLASSES.test(file("class"))) return undefined;
  if (linkName(`${device}/physfn`) !== undefined) return undefined;
  const pciId = `${vendorId}:${file("device").slice(2).toLowerCase()}`;
  const numaNode = Number(file("numa_node") || -1);
  return {
    name: findPciGpu(pciId)?.models.join(" or ") ?? `${TITLES[vendor]} ${pciId}`,
    vendor,
    pci,
    pciId,
    // AMD's driver tells here what nvidia-smi tells of NVIDIA's cards.
    ...given(bytesIn(file("mem_info_vram_total")), (memoryTotal) => ({ memoryTotal })),
    ...given(bytesIn(file("mem_info_vram_used")), (memoryUsed) => ({ memoryUsed })),
    ...(Number.isInteger(numaNode) && numaNode >= 0 ? { numaNode } : {}),
    ...given(observeLink(device), (link) => ({ link })),
    ...given(linkName(`${device}/driver`), (kernelDriver) => ({ kernelDriver })),
  };
}

const bytesIn = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);

const TITLES = { nvidia: "NVIDIA", amd: "AMD", intel: "Intel", other: "Unknown" } as const;

/**
 * The link as card and slot can run it: an idle card slows its link down, so what it runs at says nothing about the
 * generation. The lanes are those in use, because a slot may have fewer than its size.
 */
function observeLink(device: string): GpuInventory["link"] {
  const port = parentOf(device);
  const speeds = [device, ...(port === undefined ? [] : [port])]
    .map((folder) => linkGeneration(readText(`${folder}/max_link_speed`)))
    .filter((generation) => generation !== undefined);
  const lanes = Number(readText(`${device}/current_link_width`).trim());
  // A width of 0 or 255 is a link that is down or not told.
  return speeds.length > 0 && lanes > 0 && lanes <= 32
    ? { generation: Math.min(...speeds), lanes }
    : undefined;
}

/** The port that the card hangs on: the folder around the device's real one. */
function parentOf(device: string): string | undefined {
  try {
    return dirname(realpathSync(device));
  } catch {
    return undefined;
  }
}
