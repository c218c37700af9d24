import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { recordedView } from "../recorded-host.ts";
import type { Recording, RecordedView } from "../recorded-host.ts";

/** A host that is put together for a test: a recording that can still be changed. */
export interface HostTree {
  readonly files: Record<string, string | { readonly link: string }>;
  /** Files that are no text. */
  readonly bytes: Record<string, Uint8Array>;
  readonly commands: Record<string, NonNullable<Recording["commands"]>[string]>;
}

export const emptyHost = (): HostTree => ({ files: {}, bytes: {}, commands: {} });

/** A view of it; a resource for `using`. */
export async function viewOf({ files, bytes, commands }: HostTree): Promise<RecordedView> {
  const view = await recordedView({ files, commands });
  for (const [path, content] of Object.entries(bytes)) {
    mkdirSync(dirname(view.root + path), { recursive: true });
    writeFileSync(view.root + path, content);
  }
  return view;
}

/** A function on the PCI bus. */
export interface FakePciFunction {
  readonly address: string;
  /** Vendor and device, `10de:2b85`. */
  readonly id: string;
  /** `030000`. */
  readonly class: string;
  readonly group?: number;
  readonly driver?: string;
  /** Further files of its folder: `reset_method`, `power/control`. */
  readonly files?: Readonly<Record<string, string>>;
}

const PORT_FILES = { max_link_speed: "32.0 GT/s PCIe", max_link_width: "16" };

/** Puts a function on the bus as sysfs shows it: below its port, with links from the bus, its driver and its group. */
export function addFunction(tree: HostTree, fn: FakePciFunction): void {
  const port = `sys/devices/pci0000:00/0000:00:${fn.address.slice(5, 7)}.0`;
  const at = `${port}/${fn.address}`;
  const [vendor = "", device = ""] = fn.id.split(":");
  const own = { vendor: `0x${vendor}`, device: `0x${device}`, class: `0x${fn.class}`, ...fn.files };
  for (const [name, text] of Object.entries(own)) tree.files[`${at}/${name}`] = `${text}\n`;
  for (const [name, text] of Object.entries(PORT_FILES)) tree.files[`${port}/${name}`] = `${text}\n`;
  tree.files[`sys/bus/pci/devices/${fn.address}`] = { link: at };
  tree.bytes[`${at}/config`] = configOf(vendor, device);
  if (fn.driver !== undefined) tree.files[`${at}/driver`] = { link: `sys/bus/pci/drivers/${fn.driver}` };
  if (fn.group === undefined) return;
  const group = `sys/kernel/iommu_groups/${fn.group}`;
  tree.files[`${at}/iommu_group`] = { link: group };
  tree.files[`${group}/devices/${fn.address}`] = { link: at };
  tree.files[`${group}/reserved_regions`] ??= "0x00000000fee00000 0x00000000feefffff msi\n";
}

/** The first 64 bytes of a configuration: vendor and device, little endian, then zeros. */
function configOf(vendor: string, device: string): Uint8Array {
  const bytes = new Uint8Array(64);
  const data = new DataView(bytes.buffer);
  data.setUint16(0, Number.parseInt(vendor, 16), true);
  data.setUint16(2, Number.parseInt(device, 16), true);
  return bytes;
}

/** Folder of a function below the root. */
export const folderOf = (tree: HostTree, address: string): string => {
  const link = tree.files[`sys/bus/pci/devices/${address}`];
  return typeof link === "object" ? link.link : "";
};

/** Writes a file of a function anew. */
export function setFile(tree: HostTree, address: string, name: string, text: string): void {
  tree.files[`${folderOf(tree, address)}/${name}`] = `${text}\n`;
}

/** Writes a file of the host anew, with some of its text replaced. */
export function edit(tree: HostTree, path: string, text: string, by: string): void {
  const content = tree.files[path];
  tree.files[path] = typeof content === "string" ? content.replace(text, by) : by;
}

/** Binds a function to another driver, or to none. */
export function bind(tree: HostTree, address: string, driver: string | undefined): void {
  const link = `${folderOf(tree, address)}/driver`;
  if (driver === undefined) delete tree.files[link];
  else tree.files[link] = { link: `sys/bus/pci/drivers/${driver}` };
}

/** Takes a whole device off the bus. */
export function unplug(tree: HostTree, slot: string): void {
  for (const part of ["files", "bytes"] as const)
    for (const path of Object.keys(tree[part])) if (path.includes(`${slot}.`)) delete tree[part][path];
}

/** An option ROM with one image for a device, for UEFI or the old BIOS. */
export function romImage(id: string, codeType: 0 | 3 = 3): Uint8Array {
  const [vendor = "0", device = "0"] = id.split(":");
  const bytes = new Uint8Array(512);
  const data = new DataView(bytes.buffer);
  data.setUint16(0, 0xaa55, true);
  data.setUint16(0x18, 0x40, true);
  bytes.set(new TextEncoder().encode("PCIR"), 0x40);
  data.setUint16(0x44, Number.parseInt(vendor, 16), true);
  data.setUint16(0x46, Number.parseInt(device, 16), true);
  data.setUint16(0x50, 1, true);
  data.setUint8(0x54, codeType);
  data.setUint8(0x55, 0x80);
  return bytes;
}
