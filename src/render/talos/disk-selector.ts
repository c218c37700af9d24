import type { Diagnostic } from "../../core/index.ts";
import type { Host } from "../../deployment/index.ts";
import { celString } from "../escape/cel.ts";
import type { TalosGuest } from "./talos-guest.ts";

type Disk = NonNullable<Host["disks"]>[string];

/** A disk as Talos finds it, and what is doubtful about that. */
export interface DiskSelection {
  /** CEL over `disk`; absent where the spec gives the disk no identity. */
  readonly match?: string;
  /** What `install.diskSelector` or `install.disk` says. */
  readonly install?: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** What people type until they have looked: it matches no disk, so nothing is formatted. */
const PLACEHOLDER = /^(?:READ-ME|CHANGE-?ME|TODO|FIXME|XXX+)|^<.*>$/i;

/** Talos shows SCSI names as `naa.…` where udev shows `0x…`. */
const wwidOf = (wwn: string): string => wwn.replace(/^0x/i, "naa.");

const byIdPath = (byId: string): string => (byId.startsWith("/") ? byId : `/dev/disk/by-id/${byId}`);

/** Sizes on labels are round; a disk within two percent of one is meant by it. Bytes, unsigned for CEL. */
const sizeMatch = (bytes: number): string =>
  `disk.size >= ${Math.floor(bytes * 0.98)}u && disk.size <= ${Math.ceil(bytes * 1.02)}u`;

const warning = (path: string, message: string, hint: string): Diagnostic => ({
  code: "render.needs-value",
  severity: "warning",
  path,
  message,
  hint,
});

/** Path of a disk of the guest's machine in the spec. */
export const diskPath = ({ host }: TalosGuest, name: string): string =>
  `${host === undefined ? "metal" : `machines.${host.name}`}.disks.${name}`;

/** How Talos tells a disk of the machine from all others: serial, world wide name, name under by-id, or its path. */
export function selectDisk(own: TalosGuest, name: string, disk: Disk): DiskSelection {
  const diagnostics = (["serial", "wwn", "byId"] as const)
    .filter((part) => PLACEHOLDER.test(disk[part] ?? ""))
    .map((part) =>
      warning(
        `${diskPath(own, name)}.${part}`,
        `${part} of disk ${name} is the placeholder ${JSON.stringify(disk[part])}: no disk matches it, so Talos waits and formats nothing.`,
        `${part}: …   # talosctl get disks --nodes ADDRESS -o yaml, or lsblk -dno SERIAL`,
      ),
    );
  if (disk.serial !== undefined) {
    const install = { diskSelector: { serial: disk.serial } };
    return { match: `disk.serial == ${celString(disk.serial)}`, install, diagnostics };
  }
  if (disk.wwn !== undefined) {
    const wwid = wwidOf(disk.wwn);
    return { match: `disk.wwid == ${celString(wwid)}`, install: { diskSelector: { wwid } }, diagnostics };
  }
  if (disk.byId !== undefined) {
    const path = byIdPath(disk.byId);
    return { match: `${celString(path)} in disk.symlinks`, install: { disk: path }, diagnostics };
  }
  return selectByPath(diskPath(own, name), name, disk);
}

function selectByPath(path: string, name: string, { device, size }: Disk): DiskSelection {
  const hint = "serial: …   # talosctl get disks --nodes ADDRESS -o yaml";
  if (device === undefined) {
    const message = `Disk ${name} is known by its mount alone; Talos cannot find it by that.`;
    return { diagnostics: [warning(path, message, hint)] };
  }
  const message = `${device} is a name that the kernel gives anew at every boot: after a change of hardware it can be another disk, which Talos would then format.`;
  const guard = size === undefined ? "" : ` && ${sizeMatch(size)}`;
  return {
    match: `disk.dev_path == ${celString(device)}${guard}`,
    install: { disk: device },
    diagnostics: [warning(`${path}.device`, message, hint)],
  };
}
