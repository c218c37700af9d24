import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";

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
  const cgroup = cgroupLimit(root);
  if (cgroup === undefined || cgroup.available >= machine.available)
    return { ...machine, limitedBy: "machine" };
  return { total: Math.min(cgroup.total, machine.total), available: cgroup.available, limitedBy: "cgroup" };
}

function cgroupLimit(root: string): { total: number; available: number } | undefined {
  const own = readText(`${root}proc/self/cgroup`);
  const unified = /^0::(.*)$/m.exec(own)?.[1];
  // Every ancestor may set a tighter limit than the leaf.
  const folders =
    unified === undefined
      ? ["sys/fs/cgroup/memory"]
      : ancestors(unified).map((path) => `sys/fs/cgroup${path}`);
  let tightest: { total: number; available: number } | undefined;
  for (const folder of folders) {
    const limit = integer(
      readText(`${root}${folder}/memory.max`) || readText(`${root}${folder}/memory.limit_in_bytes`),
    );
    if (limit === undefined || limit > totalmem()) continue;
    const used =
      integer(
        readText(`${root}${folder}/memory.current`) || readText(`${root}${folder}/memory.usage_in_bytes`),
      ) ?? 0;
    const reclaimable = Number(
      /^inactive_file (\d+)$/m.exec(readText(`${root}${folder}/memory.stat`))?.[1] ?? 0,
    );
    const available = Math.max(0, limit - used + reclaimable);
    if (tightest === undefined || available < tightest.available) tightest = { total: limit, available };
  }
  return tightest;
}

function ancestors(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.map((_, depth) => `/${parts.slice(0, depth + 1).join("/")}`).concat("");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const kibibytes = (meminfo: string, key: string): number | undefined => {
  const value = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1];
  return value === undefined ? undefined : Number(value) * 1024;
};

const integer = (text: string): number | undefined => (/^\d+\s*$/.test(text) ? Number(text) : undefined);
