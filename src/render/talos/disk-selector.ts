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
const sizeGuard = ({ size }: Pick<Disk, "size">): string =>
  size === undefined
    ? ""
    : ` && disk.size >= ${Math.floor(size * 0.98)}u && disk.size <= ${Math.ceil(size * 1.02)}u`;

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

const position = (bus: string): number => Number(/\d+$/.exec(bus)?.[0] ?? 0);

/** A virtual disk as the guest sees it. */
interface VirtualDisk {
  readonly path: string;
  /** The path names this very disk, in whatever order the kernel finds the disks. */
  readonly lasting: boolean;
}

/**
 * A virtual disk by its path. The kernel finds SCSI disks in no certain order, and the installer wipes what it is given; but
 * QEMU shows their position in the VM as their identity, from which udev makes a name. Others have their place only: the
 * first virtio disk is vda, the first SATA disk sda. Source: bpg/terraform-provider-proxmox#1633; qemu-server, device_id.
 */
export function virtualDisk({ guest }: TalosGuest, bus: string): VirtualDisk {
  if (bus.startsWith("scsi"))
    return { path: `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-${bus}`, lasting: true };
  const isVirtio = bus.startsWith("virtio");
  const same = Object.keys(guest.vm?.disks ?? {})
    .filter((name) => name.startsWith("virtio") === isVirtio)
    .toSorted((a, b) => position(a) - position(b));
  const letter = String.fromCodePoint("a".charCodeAt(0) + Math.min(Math.max(same.indexOf(bus), 0), 25));
  return { path: `/dev/${isVirtio ? "vd" : "sd"}${letter}`, lasting: false };
}

/** A disk that a VM gets as a virtual one: QEMU shows its own name and no serial, so its position or place is left. */
function selectVirtual(own: TalosGuest, name: string, disk: Disk, bus: string): DiskSelection {
  const { path, lasting } = virtualDisk(own, bus);
  if (lasting)
    return {
      match: `${celString(path)} in disk.symlinks${sizeGuard(disk)}`,
      install: { disk: path },
      diagnostics: [],
    };
  const message = `The VM gets disk ${name} as the virtual disk ${bus}, which shows neither its serial number nor its world wide name; Talos finds it as ${path}, by its place alone.`;
  const hint = "size: …   # the selector then checks it too; scsi0 to scsi30 have names that last";
  return {
    match: `disk.dev_path == ${celString(path)}${sizeGuard(disk)}`,
    install: { disk: path },
    diagnostics: disk.size === undefined ? [warning(diskPath(own, name), message, hint)] : [],
  };
}

/** The spec names the disks of the VM, and this one is not among them. */
function notGiven({ name: guest, guest: { vm } }: TalosGuest, name: string): readonly Diagnostic[] {
  if (vm === undefined || Object.keys(vm.disks ?? {}).length === 0) return [];
  return [
    warning(
      `guests.${guest}.vm.disks`,
      `VM ${vm.id} does not get the disk ${name} of its host, so Talos finds no such disk in it and waits.`,
      `disks: { scsi1: { storage: local, disk: ${name} } }   # beside those that are there`,
    ),
  ];
}

/** How Talos tells a disk of the machine from all others: serial, world wide name, name under by-id, or its path. */
export function selectDisk(own: TalosGuest, name: string, disk: Disk): DiskSelection {
  const bus = Object.entries(own.guest.vm?.disks ?? {}).find(([, given]) => given.disk === name)?.[0];
  if (bus !== undefined) return selectVirtual(own, name, disk, bus);
  const diagnostics = [
    ...(["serial", "wwn", "byId"] as const)
      .filter((part) => PLACEHOLDER.test(disk[part] ?? ""))
      .map((part) =>
        warning(
          `${diskPath(own, name)}.${part}`,
          `${part} of disk ${name} is the placeholder ${JSON.stringify(disk[part])}: no disk matches it, so Talos waits and formats nothing.`,
          `${part}: …   # talosctl get disks --nodes ADDRESS -o yaml, or lsblk -dno SERIAL`,
        ),
      ),
    ...notGiven(own, name),
  ];
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
  return {
    match: `disk.dev_path == ${celString(device)}${sizeGuard({ size })}`,
    install: { disk: device },
    diagnostics: [warning(`${path}.device`, message, hint)],
  };
}
