import { formatBytes } from "../../core/index.ts";
import type { FoundDisk } from "./found-disk.ts";
import { identityOf } from "./wanted-disk.ts";
import type { WantedDisk } from "./wanted-disk.ts";

/** The disk for a person: device, model, serial number and size. */
export const describeDisk = ({ device, model, serial, bytes }: FoundDisk): string =>
  `${device} (${[model, serial === "" ? "without a serial number" : `serial ${serial}`, formatBytes(bytes)].filter((part) => part !== "").join(", ")})`;

/** Why the disk may not be taken as it is; `undefined` where it may. The script that acts judges by itself once more. */
export function refusalOf(disk: FoundDisk, wanted: WantedDisk): string | undefined {
  const what = `disk ${wanted.name} is ${describeDisk(disk)}`;
  if (disk.place !== "here" && disk.place !== "free")
    return `${wanted.mount}, where ${wanted.name} belongs, is ${disk.place}. Move it away, or give the disk another mount.`;
  if (disk.lasts !== "yes" && disk.lasts !== "no")
    return `fstab already says what is mounted at ${wanted.mount}, and it is not this disk by a name that lasts: ${disk.lasts}`;
  if (disk.blank) return blankRefusal(what, disk, wanted);
  if (disk.filesystem === wanted.filesystem && disk.table === "") return undefined;
  return `${what} and carries something else than ${wanted.filesystem}: ${disk.found.join("; ") || "what blkid does not tell"}. Omni never erases: look at it, and wipe it yourself if nothing on it is wanted.`;
}

function blankRefusal(what: string, { serial }: FoundDisk, wanted: WantedDisk): string | undefined {
  if (wanted.format !== "if-blank")
    return `${what}, blank, and format is never. Write format: if-blank at the disk, or make the file system yourself.`;
  if (wanted.serial === undefined && wanted.wwn === undefined && wanted.byId === undefined)
    return `${what}, blank, and only its kernel name ${identityOf(wanted)} is known, which can be another disk's at every boot. Write its serial: ${serial === "" ? "lsblk -dno NAME,SERIAL" : serial}`;
  return undefined;
}
