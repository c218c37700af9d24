import { present } from "../../core/index.ts";
import type { CommandResult, HostCommand } from "../transport/index.ts";

/** Runs a program on the host of the disk. */
export type RunOnHost = (command: HostCommand) => Promise<CommandResult>;

/** The one disk of a host that has the wanted identity, and what it carries. Bytes; empty text for nothing. */
export interface FoundDisk {
  /** `/dev/nvme0n1`, at this boot. */
  readonly device: string;
  readonly serial: string;
  readonly wwn: string;
  readonly bytes: number;
  readonly model: string;
  /** blkid, wipefs, lsblk and the kernel see nothing on it. */
  readonly blank: boolean;
  readonly filesystem: string;
  readonly label: string;
  readonly uuid: string;
  /** Partition table: `gpt`, `dos`. */
  readonly table: string;
  /** What stands at the mount point: `here`, `free`, or what is in the way. */
  readonly place: string;
  /** Whether fstab brings it back: `yes`, `no`, or the line that stands in the way. */
  readonly lasts: string;
  readonly entry: string;
  /** Mounted in its place, and for writing. */
  readonly writable: boolean;
  /** Free bytes where it is mounted. */
  readonly free?: number;
  /** Signatures, partitions and holders, one each. */
  readonly found: readonly string[];
}

/** Reads the facts that the script prints. */
export function parseFoundDisk(output: string): FoundDisk {
  const rows = output
    .split("\n")
    .map((line) => line.split("\t"))
    .filter(([kind]) => kind === "fact");
  const one = (key: string): string => rows.find((row) => row[1] === key)?.[2] ?? "";
  const free = Number(one("free"));
  return {
    device: one("device"),
    serial: one("serial"),
    wwn: one("wwn"),
    bytes: Number(one("bytes")),
    model: one("model"),
    blank: one("blank") === "yes",
    filesystem: one("filesystem"),
    label: one("label"),
    uuid: one("uuid"),
    table: one("table"),
    place: one("place"),
    lasts: one("lasts"),
    entry: one("entry"),
    writable: one("writable") === "yes",
    found: rows.filter((row) => row[1] === "found").map((row) => row.slice(2).join(" ")),
    ...present({ free: one("free") === "" || !Number.isFinite(free) ? undefined : free }),
  };
}
