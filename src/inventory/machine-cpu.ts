import { cpus } from "node:os";
import { readText } from "./cgroup.ts";
import { observeCpu, parseCpuList } from "./cpu.ts";
import { namesIn } from "./folder.ts";
import { given } from "./given.ts";
import type { MachineInventory } from "./machine.ts";

type MachineCpu = MachineInventory["cpu"];

/**
 * The processors of the whole machine, whatever of them this process may use: sockets and cores from sysfs, model and
 * features from /proc/cpuinfo, caches summed over the machine. `root` stands for `/` in tests.
 */
export function observeMachineCpu(root = "/"): MachineCpu {
  const info = readText(`${root}proc/cpuinfo`);
  const online = onlineCpus(root);
  const seen = online.map((cpu) => topologyOf(root, cpu, info));
  const packages = new Set(seen.map((place) => place.socket));
  const usable = observeCpu(root);
  const model = valueOf(info, "model name") ?? valueOf(info, "Model") ?? ownModel(root);
  return {
    ...given(model, (model) => ({ model })),
    ...(packages.size === 0 ? {} : { sockets: packages.size }),
    cores: new Set(seen.map((place) => place.core)).size || usable.physical,
    threads: online.length || usable.logical,
    features: (valueOf(info, "flags") ?? valueOf(info, "Features") ?? "")
      .split(/\s+/)
      .filter((f) => f !== ""),
    caches: observeCaches(root, online),
  };
}

/** What of the machine's cores this process may not use, for a person; `undefined` when it may use all. */
export function cpuRestriction(root: string, cpu: MachineCpu): string | undefined {
  const usable = observeCpu(root);
  if (usable.quota !== undefined && usable.quota < cpu.threads)
    return `a cgroup grants this process the time of ${usable.quota} of ${cpu.threads} threads`;
  if (usable.logical < cpu.threads)
    return `this process may run on ${usable.logical} of ${cpu.threads} threads`;
  return undefined;
}

/** Node's own answer is about the machine it runs on, so it is no answer about another root. */
const ownModel = (root: string): string | undefined =>
  root === "/" ? cpus()[0]?.model.trim() || undefined : undefined;

function onlineCpus(root: string): number[] {
  const list = parseCpuList(readText(`${root}sys/devices/system/cpu/online`).trim());
  if (list.length > 0) return list;
  return namesIn(`${root}sys/devices/system/cpu`)
    .flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number);
}

interface Place {
  readonly socket: string;
  readonly core: string;
}

function topologyOf(root: string, cpu: number, info: string): Place {
  const topology = `${root}sys/devices/system/cpu/cpu${cpu}/topology/`;
  const socket = readText(`${topology}physical_package_id`).trim() || valueOf(info, "physical id") || "0";
  const core = readText(`${topology}core_id`).trim();
  // Cores of one number in two dies of a socket are told apart by their siblings.
  const siblings = readText(`${topology}thread_siblings_list`).trim();
  return { socket, core: siblings || (core === "" ? `cpu${cpu}` : `${socket}:${core}`) };
}

/** The first value of a key of /proc/cpuinfo. */
function valueOf(info: string, key: string): string | undefined {
  const value = new RegExp(`^${key}[ \\t]*:[ \\t]*(.*)$`, "m").exec(info)?.[1]?.trim();
  return value === "" ? undefined : value;
}

/** A cache that several cores share counts once: it is named by its level and the list of those cores. */
function observeCaches(root: string, online: readonly number[]): MachineCpu["caches"] {
  const sizes = new Map<string, { level: string; bytes: number }>();
  for (const cpu of online) {
    const folder = `${root}sys/devices/system/cpu/cpu${cpu}/cache`;
    for (const index of namesIn(folder).filter((name) => name.startsWith("index"))) {
      const file = (name: string): string => readText(`${folder}/${index}/${name}`).trim();
      const bytes = Number(/^(\d+)K$/.exec(file("size"))?.[1] ?? 0) * 1024;
      if (file("type") === "Instruction" || bytes === 0) continue;
      const level = file("level");
      sizes.set(`${level} ${file("shared_cpu_list")}`, { level, bytes });
    }
  }
  const sum = (level: string): number | undefined =>
    [...sizes.values()].reduce((all, cache) => all + (cache.level === level ? cache.bytes : 0), 0) ||
    undefined;
  return { ...given(sum("2"), (l2) => ({ l2 })), ...given(sum("3"), (l3) => ({ l3 })) };
}
