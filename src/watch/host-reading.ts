import { statfs } from "node:fs/promises";
import { present } from "../core/index.ts";
import { readText } from "../inventory/cgroup.ts";
import { readMemory } from "../inventory/memory.ts";
import { observeMounts } from "../inventory/mounts.ts";
import type { HostReading, Pressure } from "./reading.ts";

/** Milliseconds between two looks at the disks: a file system seldom fills within seconds, and asking may wake a disk. */
const DISKS_EVERY = 10_000;

interface Disk {
  readonly mount: string;
  readonly size: number;
  readonly free: number;
}

/** Reads the machine: main memory as this process may use it, swap, pressure, disks. */
export class HostReader {
  readonly #root: string;
  readonly #mounts: readonly string[] | undefined;
  #disks: readonly Disk[] = [];
  #disksAt = -Infinity;
  #asking: Promise<void> | undefined;

  /** `mounts`: absolute paths to look at; all local file systems when absent. `root` stands for `/`. */
  constructor(root: string, mounts: readonly string[] | undefined) {
    this.#root = root;
    this.#mounts = mounts;
  }

  /** The machine now, with disks of at most some seconds ago. Blocks for files of /proc alone. */
  read(): HostReading {
    if (performance.now() - this.#disksAt >= DISKS_EVERY) void this.lookAtDisks();
    const { total, available } = readMemory(this.#root);
    const meminfo = readText(`${this.#root}proc/meminfo`);
    const swapTotal = kibibytes(meminfo, "SwapTotal");
    const swapFree = kibibytes(meminfo, "SwapFree");
    const pressure = present({
      cpu: this.#pressure("cpu"),
      memory: this.#pressure("memory"),
      io: this.#pressure("io"),
    });
    return {
      memoryTotal: total,
      memoryAvailable: available,
      ...present({
        swapUsed: swapTotal === undefined || swapFree === undefined ? undefined : swapTotal - swapFree,
        pressure: Object.keys(pressure).length === 0 ? undefined : pressure,
      }),
      disks: this.#disks,
    };
  }

  /** Looks at the disks now. One that does not answer (a dead network mount) is not asked a second time meanwhile. */
  lookAtDisks(): Promise<void> {
    this.#disksAt = performance.now();
    this.#asking ??= this.#measure().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #measure(): Promise<void> {
    this.#disks =
      this.#mounts === undefined
        ? await localDisks(this.#root)
        : (await Promise.all(this.#mounts.map((mount) => measure(this.#root, mount)))).flat();
  }

  #pressure(what: string): Pressure | undefined {
    const text = readText(`${this.#root}proc/pressure/${what}`);
    const share = (kind: string): number | undefined => {
      const percent = new RegExp(`^${kind} avg10=(\\d+(?:\\.\\d+)?)`, "m").exec(text)?.[1];
      return percent === undefined ? undefined : Number(percent) / 100;
    };
    const some = share("some");
    // Old kernels do not tell `full` of the processor, where it means nothing.
    return some === undefined ? undefined : { some, full: share("full") ?? 0 };
  }
}

async function localDisks(root: string): Promise<Disk[]> {
  const { mounts, rootMount } = await observeMounts(root);
  const all =
    rootMount === undefined || mounts.some(({ path }) => path === "/") ? mounts : [rootMount, ...mounts];
  return all.map(({ path, size, free }) => ({ mount: path, size, free }));
}

async function measure(root: string, mount: string): Promise<Disk[]> {
  try {
    const { bsize, blocks, bavail } = await statfs(root + mount.slice(1));
    return [{ mount, size: bsize * blocks, free: bsize * bavail }];
  } catch {
    return [];
  }
}

const kibibytes = (meminfo: string, key: string): number | undefined => {
  const value = new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1];
  return value === undefined ? undefined : Number(value) * 1024;
};
