import { propertyString, pveName, pvePart } from "../escape/pve.ts";
import { gibibytes } from "./mebibytes.ts";
import type { HostedVm, ProxmoxHost } from "./proxmox-host.ts";

/** How a whole disk of the machine is found again: a path that stays the same, or a serial number to look for. */
type WholeDisk = { readonly path: string } | { readonly serial: string };

/** One virtual disk at its position on a bus. */
export interface VmDisk {
  readonly position: string;
  readonly from:
    | { readonly kind: "new"; readonly storage: string; readonly sizeGib: number }
    | ({ readonly kind: "whole"; readonly disk: string } & WholeDisk);
}

/** A disk that cannot be rendered, and what is missing. */
export interface MissingDisk {
  readonly position: string;
  readonly why: string;
  readonly hint: string;
}

const BUSES = ["scsi", "virtio", "sata", "ide"] as const;

/** The last position of each bus. Source: PVE::QemuServer::Drive, MAX_*_DISKS. */
const LAST = { scsi: 30, virtio: 15, sata: 5, ide: 3 } as const;

/** Why Proxmox has no such position; nothing where it has. */
function beyond(position: string): { readonly why: string; readonly hint: string } | undefined {
  const bus = BUSES.find((name) => position.startsWith(name));
  if (bus === undefined || Number(position.slice(bus.length)) <= LAST[bus]) return undefined;
  return { why: `Proxmox has ${bus}0 to ${bus}${LAST[bus]}.`, hint: `${bus}${LAST[bus]}: …` };
}

/** Positions in the order in which they are made and booted: bus by bus, then by number. */
const inOrder = (positions: readonly string[]): readonly string[] =>
  positions.toSorted((a, b) => rank(a) - rank(b));

const rank = (position: string): number =>
  BUSES.findIndex((bus) => position.startsWith(bus)) * 100 + Number(/\d+$/.exec(position)?.[0] ?? 0);

function wholeDisk(host: ProxmoxHost["host"], name: string, place: string): WholeDisk | undefined {
  const disk = host.disks?.[name];
  if (disk?.byId !== undefined) return { path: `/dev/disk/by-id/${pvePart(disk.byId, `${place}.byId`)}` };
  if (disk?.wwn !== undefined) {
    const wwn = pvePart(disk.wwn, `${place}.wwn`);
    return { path: `/dev/disk/by-id/${wwn.startsWith("eui.") ? "nvme-" : "wwn-"}${wwn}` };
  }
  return disk?.serial === undefined ? undefined : { serial: pvePart(disk.serial, `${place}.serial`) };
}

/** The disks of a VM, and those that lack what only the owner knows. */
export function vmDisks(
  { vm, guest }: HostedVm,
  { host }: ProxmoxHost,
): { readonly disks: readonly VmDisk[]; readonly missing: readonly MissingDisk[] } {
  const disks: VmDisk[] = [];
  const missing: MissingDisk[] = [];
  for (const position of inOrder(Object.keys(vm.disks ?? {}))) {
    const asked = vm.disks?.[position];
    const place = `guests.${guest.name}.vm.disks.${position}`;
    const none = beyond(position);
    if (none !== undefined) missing.push({ position, ...none });
    else if (asked?.disk !== undefined) {
      const found = wholeDisk(host, asked.disk, `machines.${host.name}.disks.${asked.disk}`);
      if (found !== undefined) disks.push({ position, from: { kind: "whole", disk: asked.disk, ...found } });
      else
        missing.push({
          position,
          why: `The disk ${asked.disk} of ${host.name} has no identity that survives a reboot, and a VM that writes to the wrong disk destroys it.`,
          hint: `machines.${host.name}.disks.${asked.disk}.byId: nvme-…   # ls -l /dev/disk/by-id`,
        });
    } else if (asked?.size !== undefined) {
      const storage = pveName(asked.storage, `${place}.storage`);
      disks.push({ position, from: { kind: "new", storage, sizeGib: gibibytes(asked.size) } });
    } else
      missing.push({
        position,
        why: "A new virtual disk needs a size.",
        hint: `${place}.size: 64GiB`,
      });
  }
  return { disks, missing };
}

/**
 * Positions in the order in which they are booted, those before and those after the installer: a disk of the owner's that is
 * handed through may hold an older system, which must not start in its place, unless Talos is installed on it.
 */
export function bootPositions(
  { guest }: HostedVm,
  disks: readonly VmDisk[],
): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const system = guest.talos?.installDisk;
  const isSystem = ({ position, from }: VmDisk): boolean =>
    from.kind === "new" || position === system || from.disk === system;
  const before = disks.filter(isSystem).map(({ position }) => position);
  const all = disks.map(({ position }) => position);
  return before.length === 0
    ? { before: all, after: [] }
    : { before, after: all.filter((position) => !before.includes(position)) };
}

/** Storage for the small disk of UEFI variables: that of the first virtual disk; absent where the host has to be asked. */
export const firmwareStorage = (disks: readonly VmDisk[]): string | undefined =>
  disks.flatMap(({ from }) => (from.kind === "new" ? [from.storage] : []))[0];

/**
 * Options of the UEFI variables' disk. No keys are enrolled beforehand: Talos's own image enrols its keys while the
 * firmware is in setup mode, and Microsoft's would refuse to start it. Source: Talos, SecureBoot.
 */
export const FIRMWARE_OPTIONS = propertyString([
  ["efitype", "4m"],
  ["pre-enrolled-keys", 0],
]);
