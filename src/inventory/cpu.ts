import { availableParallelism, cpus } from "node:os";
import { cgroupFolders, readText } from "./cgroup.ts";

/** The processor as this process may use it. */
export interface CpuInventory {
  readonly model: string;
  /** Hardware threads that the affinity mask allows. */
  readonly logical: number;
  /** Physical cores among them. */
  readonly physical: number;
  /** Cores' worth of time that the tightest cgroup grants, or `undefined` without a quota. */
  readonly quota: number | undefined;
}

/** A number of threads and the reason for it, for a person. */
export interface ThreadChoice {
  readonly threads: number;
  readonly reason: string;
}

/**
 * Weights that each thread should have to read for a token: at some 10 GB/s these are 5 ms, against which the barriers
 * of a token, several hundred at about a microsecond, do not count.
 */
const BYTES_PER_THREAD = 48 * 2 ** 20;

/**
 * Reads affinity, core topology and CPU quota on Linux; elsewhere what the operating system tells Node. `root`
 * stands for `/` in tests.
 */
export function observeCpu(root = "/"): CpuInventory {
  const allowed = allowedCpus(root);
  const logical = allowed?.length ?? availableParallelism();
  return {
    model: cpus()[0]?.model.trim() ?? "unknown",
    logical,
    physical: allowed === undefined ? logical : Math.max(1, physicalCores(root, allowed)),
    quota: cpuQuota(root),
  };
}

/**
 * Threads for a CPU engine whose model has `weightBytes` of weights. llama.cpp's threads spin at a barrier several
 * hundred times for each token, so one thread that has to share its core stops all others: with two threads on two
 * cores under other load a token of a toy model took 310 ms instead of 0.5 ms. Hence one thread a physical core,
 * none above the quota, one core left to gateway and event loop, and no thread without enough to do.
 */
export function chooseThreads(cpu: CpuInventory, weightBytes: number): ThreadChoice {
  const granted = cpu.quota === undefined ? cpu.physical : Math.min(cpu.physical, Math.floor(cpu.quota));
  const free = Math.max(1, granted - 1);
  const useful = Math.max(1, Math.ceil(weightBytes / BYTES_PER_THREAD));
  const threads = Math.min(free, useful);
  const limit =
    cpu.quota !== undefined && cpu.quota < cpu.physical
      ? `a quota of ${cpu.quota} CPUs`
      : `${cpu.physical} physical cores`;
  const reason =
    useful < free
      ? `the model reads ${(weightBytes / 2 ** 20).toFixed(1)} MiB a token, enough work for ${useful}`
      : `${limit}, one of them left to the gateway`;
  return { threads, reason };
}

/** Numbers of the CPUs in this process's affinity mask, `undefined` where /proc does not tell. */
function allowedCpus(root: string): number[] | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readText(`${root}proc/self/status`))?.[1];
  return list === undefined ? undefined : parseCpuList(list);
}

/** Source: the largest CONFIG_NR_CPUS of Linux is 8192. */
const MOST_CPUS = 65_536;

/** Reads the kernel's list format, `0-3,8,10-11`; a range of more CPUs than any machine has is none. */
export function parseCpuList(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    if (!Number.isInteger(first) || !Number.isInteger(last) || last - first >= MOST_CPUS) return [];
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  });
}

function physicalCores(root: string, allowed: readonly number[]): number {
  const cores = allowed.map((cpu) => {
    const topology = `${root}sys/devices/system/cpu/cpu${cpu}/topology/`;
    const core = readText(`${topology}core_id`).trim();
    // Machines without topology (some virtual ones) count every CPU as a core.
    return core === "" ? `cpu${cpu}` : `${readText(`${topology}physical_package_id`).trim()}:${core}`;
  });
  return new Set(cores).size;
}

/** The tightest quota of this process's cgroup and its ancestors, in cores. */
function cpuQuota(root: string): number | undefined {
  const quotas = cgroupFolders(root, "cpu")
    .map((folder) => parseCpuMax(readText(`${folder}/cpu.max`)) ?? legacyQuota(folder))
    .filter((quota) => quota !== undefined);
  return quotas.length === 0 ? undefined : Math.min(...quotas);
}

/** cgroup v2: `max 100000` or `150000 100000` (microseconds of quota and period). */
function parseCpuMax(text: string): number | undefined {
  const [quota, period] = text.trim().split(/\s+/).map(Number);
  return quota === undefined || period === undefined ? undefined : share(quota, period);
}

/** cgroup v1: a quota of -1 means none. */
function legacyQuota(folder: string): number | undefined {
  return share(
    Number(readText(`${folder}/cpu.cfs_quota_us`).trim() || Number.NaN),
    Number(readText(`${folder}/cpu.cfs_period_us`).trim() || Number.NaN),
  );
}

const share = (quota: number, period: number): number | undefined =>
  quota > 0 && period > 0 ? quota / period : undefined;
