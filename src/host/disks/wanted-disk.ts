import { OmniError, present } from "../../core/index.ts";
import type { Host } from "../../deployment/index.ts";
import { labelOf } from "../../render/kubernetes/storage/prepared-disk.ts";

type SpecDisk = NonNullable<Host["disks"]>[string];

/** A disk as the spec wants it on a host. */
export interface WantedDisk {
  readonly name: string;
  readonly serial?: string;
  readonly wwn?: string;
  readonly byId?: string;
  readonly device?: string;
  /** Bytes; a disk within 2 % is meant. */
  readonly size?: number;
  readonly format: "never" | "if-blank";
  readonly filesystem: "xfs" | "ext4" | "btrfs";
  readonly label: string;
  /** Absolute, without a slash at the end. */
  readonly mount: string;
}

/**
 * The disk of a spec as it is prepared on a host; `undefined` where the spec does not say where it is mounted. Throws
 * `OmniError` `disk.refused` for what is not prepared here: ZFS, and a mount point that is no plain path.
 */
export function wantedDisk(name: string, disk: SpecDisk): WantedDisk | undefined {
  const { serial, wwn, byId, device, size, filesystem = "xfs", format = "never" } = disk;
  const mount = disk.mount?.replace(/\/+$/, "");
  if (mount === undefined) return undefined;
  if (!/^(?:\/[\w@%+=:,.-]+)+$/.test(mount) || mount.split("/").includes("..")) {
    throw new OmniError(
      "disk.refused",
      `${JSON.stringify(disk.mount)} is no place where disk ${name} could be mounted.`,
      { hint: "A folder below the root, of letters, digits and . _ - only: mount: /var/mnt/data" },
    );
  }
  if (filesystem === "zfs") {
    throw new OmniError("disk.refused", `Disk ${name} is to carry ZFS, which Omni does not make.`, {
      hint: "Make the pool yourself and name the disk by its mount alone, or filesystem: xfs.",
    });
  }
  const label = labelOf(name);
  return { name, format, filesystem, label, mount, ...present({ serial, wwn, byId, device, size }) };
}

/** How a person tells the disk: `serial S7XX`, `/dev/nvme0n1`. */
export const identityOf = ({ name, serial, wwn, byId, device }: WantedDisk): string =>
  [
    ...(serial === undefined ? [] : [`serial ${serial}`]),
    ...(wwn === undefined ? [] : [`wwn ${wwn}`]),
    ...(byId === undefined ? [] : [`by-id ${byId}`]),
  ].join(", ") ||
  device ||
  name;
