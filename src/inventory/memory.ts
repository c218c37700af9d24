import { freemem, totalmem } from "node:os";
import { cgroupFolders, readText } from "./cgroup.ts";

/** Main memory that a new process of this machine may use. All bytes. */
export interface MemoryInventory {
  readonly total: number;
  /** What can be taken now without swapping: free memory plus caches that the kernel would give up. */
  readonly available: number;
  /** What set the limit. */
  readonly limitedBy: "machine" | "cgroup";
}

/** Reads /proc/meminfo and the cgroup limits on Linux; elsewhere what the operating system tells Node. */
export function readMemory(root = "/"): MemoryInventory {
  const meminfo = readText(`${root}proc/meminfo`);
  const machine = {
    total: kibibytes(meminfo, "MemTotal") ?? totalmem(),
    available: kibibytes(meminfo, "MemAvailable") ?? freemem(),
  };
  const cgroup = cgroupLimit(root, machine.total);
  if (cgroup === undefined || cgroup.available >= machine.available)
    return { ...machine, limitedBy: "machine" };
  return { ...cgroup, limitedBy: "cgroup" };
}

/** The limit that leaves least, with what of it is still free: caches of files count as free. */
function cgroupLimit(root: string, machine: number): { total: number; available: number } | undefined {
  let tightest: { total: number; available: number } | undefined;
  for (const folder of cgroupFolders(root, "memory")) {
    const total = integer(folder, "memory.max", "memory.limit_in_bytes");
    // Without a limit, v1 writes a number beyond any memory.
    if (total === undefined || total >= machine) continue;
    const used = integer(folder, "memory.current", "memory.usage_in_bytes") ?? 0;
    const reclaimable = Number(/^inactive_file (\d+)$/m.exec(readText(`${folder}/memory.stat`))?.[1] ?? 0);
    const available = Math.max(0, total - used + reclaimable);
    if (tightest === undefined || available < tightest.available) tightest = { total, available };
  }
  return tightest;
}

const kibibytes = (meminfo: string, key: string): number | undefined => {
  const value = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1];
  return value === undefined ? undefined : Number(value) * 1024;
};

/** The number in the first of these files that holds one. */
function integer(folder: string, ...files: readonly string[]): number | undefined {
  const texts = files.map((file) => readText(`${folder}/${file}`).trim());
  const found = texts.find((text) => /^\d+$/.test(text));
  return found === undefined ? undefined : Number(found);
}
