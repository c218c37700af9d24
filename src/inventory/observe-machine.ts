import { statSync } from "node:fs";
import { hostname } from "node:os";
import { formatBytes, messageOf } from "../core/index.ts";
import { readText } from "./cgroup.ts";
import { observeDisks } from "./disks.ts";
import { given } from "./given.ts";
import { observeGpus } from "./gpus.ts";
import { observeHugepages } from "./hugepages.ts";
import { cpuRestriction, observeMachineCpu } from "./machine-cpu.ts";
import type { MachineInventory, ProbeNote } from "./machine.ts";
import { readMemory } from "./memory.ts";
import { observeMounts } from "./mounts.ts";
import type { MeasureSpace } from "./mounts.ts";
import { observeNuma } from "./numa.ts";
import { runBounded } from "./run-bounded.ts";

interface ObserveOptions {
  /** Stands for `/` in tests; ends with a slash. */
  readonly root?: string;
  /** The program that is asked for NVIDIA cards; found on PATH when absent. */
  readonly nvidiaSmi?: string;
  /** Milliseconds that nvidia-smi may take, all its runs together. Without persistence mode it needs seconds a card. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Runs a program of the machine; on this one when absent. */
  readonly ask?: typeof runBounded;
  /** Space of a file system of the machine; statfs of the mount under `root` when absent. */
  readonly measure?: MeasureSpace;
}

const DEFAULT_TIMEOUT = 15_000;

/**
 * Looks at this machine: processor, memory, NUMA nodes, disks, cards. Changes nothing and throws nothing: what a probe
 * cannot tell is absent and named in `notes`. Takes as long as nvidia-smi does, at most `timeout`.
 */
export async function observeMachine(options: ObserveOptions = {}): Promise<MachineInventory> {
  const {
    root = "/",
    nvidiaSmi = "nvidia-smi",
    timeout = DEFAULT_TIMEOUT,
    signal,
    ask = runBounded,
  } = options;
  const notes: ProbeNote[] = [];
  const { limitedBy, ...memory } = readMemory(root);
  const gpus = observeGpus({ root, nvidiaSmi, ask, timeout, signal, memory });
  const cpu = soft(notes, "cpu", () => observeMachineCpu(root), {
    cores: 1,
    threads: 1,
    features: [],
    caches: {},
  });
  const restriction = cpuRestriction(root, cpu);
  if (restriction !== undefined) notes.push({ probe: "cpu", message: restriction });
  if (limitedBy === "cgroup")
    notes.push({
      probe: "memory",
      message: `a cgroup limits memory to ${formatBytes(memory.total)}, of which ${formatBytes(memory.available)} are free`,
    });
  const hugepages = soft(notes, "memory", () => observeHugepages(root), []);
  const { mounts, rootMount, failed } = await observeMounts(root, options.measure);
  if (failed.length > 0)
    notes.push({ probe: "disk", message: `the space of ${failed.slice(0, 5).join(", ")} cannot be read` });
  const disks = soft(notes, "disk", () => observeDisks(root, mounts), []);
  const seen = await gpus;
  return {
    hostname: readText(`${root}proc/sys/kernel/hostname`).trim() || hostname(),
    cpu,
    numa: soft(notes, "numa", () => observeNuma(root), []),
    memory: { ...memory, ...(hugepages.length === 0 ? {} : { hugepages }) },
    gpus: seen.gpus,
    disks,
    ...given(rootMount, (mount) => ({ root: mount })),
    ...given(seen.driver, (driver) => ({ driver })),
    docker: hasSocket(`${root}run/docker.sock`) || hasSocket(`${root}var/run/docker.sock`),
    notes: [...notes, ...seen.notes],
  };
}

/** What a probe tells, or `otherwise` and a note when it fails: no part of the machine hides the others. */
function soft<T>(notes: ProbeNote[], probe: string, observe: () => T, otherwise: T): T {
  try {
    return observe();
  } catch (thrown) {
    notes.push({ probe, message: messageOf(thrown) });
    return otherwise;
  }
}

function hasSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
}
