import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { readText } from "./cgroup.ts";
import { linkName, namesIn } from "./folder.ts";
import { given } from "./given.ts";
import type { DiskInventory, MountInventory } from "./machine.ts";
import { asMount } from "./mounts.ts";
import type { ObservedMount } from "./mounts.ts";

const SECTOR = 512;

/** Block devices that are no disk: made of files, of memory or of other disks, or for media that are taken out. */
const NO_DISK = /^(?:loop|ram|zram|sr|fd|dm-|md|nbd|zd|drbd)\d*|boot\d$/;

/**
 * The disks of the machine with the local file systems on them, through partitions, LVM, encryption and RAID; after
 * them the file systems that lie on no single block device (ZFS). `root` stands for `/` in tests.
 */
export function observeDisks(root: string, mounts: readonly ObservedMount[]): DiskInventory[] {
  const folder = `${root}sys/block/`;
  const ids = stableNames(root);
  const owners = diskOwners(folder);
  const onDisk = new Map<string, MountInventory[]>();
  const elsewhere: DiskInventory[] = [];
  for (const mount of mounts) {
    const disks = owners.get(mount.device) ?? owners.get(basename(mount.source)) ?? [];
    // An array's file system is listed with its first disk, so that its space counts once.
    const [first] = disks;
    if (first === undefined) elsewhere.push({ name: mount.source, mounts: [asMount(mount)] });
    else onDisk.set(first, [...(onDisk.get(first) ?? []), asMount(mount)]);
  }
  const disks = namesIn(folder).flatMap((name) => {
    const disk = NO_DISK.test(name) ? undefined : observeDisk(`${folder}${name}`, name);
    return disk === undefined
      ? []
      : [{ ...disk, ...given(ids.get(name), (byId) => ({ byId })), mounts: onDisk.get(name) ?? [] }];
  });
  return [...disks, ...elsewhere];
}

function observeDisk(folder: string, name: string): DiskInventory | undefined {
  const file = (path: string): string | undefined => tidy(readText(`${folder}/${path}`));
  const size = Number(file("size") ?? 0) * SECTOR;
  // An empty card reader is no disk; a path of a multipath disk is listed by the disk.
  if (!(size > 0) || file("hidden") === "1") return undefined;
  const rotational = file("queue/rotational");
  const serial = file("device/serial") ?? file("serial") ?? unitSerial(`${folder}/device/vpd_pg80`);
  return {
    name,
    ...given(serial, (serial) => ({ serial })),
    ...given(file("device/model"), (model) => ({ model })),
    size,
    ...(rotational === undefined ? {} : { rotational: rotational === "1" }),
    mounts: [],
  };
}

/** Text of a device without the padding and control characters that firmware leaves in it. */
function tidy(text: string): string | undefined {
  const clean = text
    .replaceAll(/[\p{Cc}\uFFFD]/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  return clean === "" ? undefined : clean;
}

/** The serial number that SCSI and SATA disks tell. Source: SPC-4, vital product data page 80h: text after 4 bytes. */
function unitSerial(path: string): string | undefined {
  try {
    const page = readFileSync(path);
    return page.length < 4 ? undefined : tidy(page.subarray(4, 4 + page.readUInt16BE(2)).toString("latin1"));
  } catch {
    return undefined;
  }
}

/** The disks below every block device, by its number and by its name. */
function diskOwners(folder: string): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, readonly string[]>();
  const parents = new Map<string, string>();
  const devices = namesIn(folder);
  for (const disk of devices)
    for (const part of namesIn(`${folder}${disk}`))
      if (readText(`${folder}${disk}/${part}/partition`) !== "") parents.set(part, disk);
  const below = (name: string, depth = 0): string[] => {
    const device = parents.get(name) ?? name;
    const slaves = depth > 8 ? [] : namesIn(`${folder}${device}/slaves`);
    return slaves.length === 0
      ? NO_DISK.test(device)
        ? []
        : [device]
      : slaves.flatMap((slave) => below(slave, depth + 1));
  };
  for (const name of [...devices, ...parents.keys()]) {
    const parent = parents.get(name);
    const number = readText(`${folder}${parent === undefined ? "" : `${parent}/`}${name}/dev`).trim();
    const disks = [...new Set(below(name))];
    if (disks.length === 0) continue;
    owners.set(name, disks);
    if (number !== "") owners.set(number, disks);
  }
  return owners;
}

/** Kinds of names under /dev/disk/by-id, the ones a person recognises first. */
const KINDS = ["nvme-", "ata-", "scsi-", "virtio-", "usb-", "mmc-", "google-", "wwn-"];

const rank = (name: string): number => {
  const kind = KINDS.findIndex((start) => name.startsWith(start));
  // `nvme-eui.0025…` is a number where `nvme-Samsung_…` is a name.
  return (kind === -1 ? KINDS.length : kind) + (/^nvme-(?:eui|nvme|uuid)\./.test(name) ? KINDS.length : 0);
};

/** The stable name of every disk: of a person's kind, and the shortest of those. */
function stableNames(root: string): ReadonlyMap<string, string> {
  const folder = `${root}dev/disk/by-id/`;
  const names = new Map<string, string>();
  for (const name of namesIn(folder)) {
    if (/-part\d+$/.test(name)) continue;
    const disk = linkName(folder + name);
    if (disk === undefined) continue;
    const best = names.get(disk);
    const better =
      best === undefined ||
      rank(name) < rank(best) ||
      (rank(name) === rank(best) && name.length < best.length);
    if (better) names.set(disk, name);
  }
  return names;
}
