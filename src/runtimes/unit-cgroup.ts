import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../core/index.ts";
import type { LaunchSpec } from "../engines/engine.ts";
import { markOf, parentOf } from "./process-identity.ts";

type Limits = NonNullable<LaunchSpec["limits"]>;

/** Milliseconds that the kernel may take until an emptied cgroup can be removed. */
const REMOVE_WAIT = 2000;

/** A cgroup for one unit: what of its limits the kernel enforces there. */
export interface UnitCgroup {
  readonly path: string;
  /** Processors and memory node are bound by it. */
  readonly bindsCpus: boolean;
  readonly bindsNode: boolean;
}

/** Where Omni itself is, below the cgroup that it was given: systemd's `DelegateSubgroup=omni`, or made by `makeRoom`. */
const OWN = "omni";

/**
 * Folder of the cgroup v2 that this process was given, if it may make others in it: `root` is where the tree is mounted,
 * `own` the text of /proc/self/cgroup. `undefined` where there is no tree, or where it belongs to somebody else.
 */
export function writableCgroup(root: string, own: string): string | undefined {
  const place = /^0::(.*)$/m.exec(own)?.[1];
  if (place === undefined) return undefined;
  const path = place.endsWith(`/${OWN}`) ? place.slice(0, -OWN.length - 1) : place;
  const folder = join(root, path);
  try {
    for (const name of ["", "cgroup.procs"]) accessSync(join(folder, name), constants.W_OK);
    return folder;
  } catch {
    return undefined;
  }
}

/** Where the tree of cgroup v2 is mounted, as /proc/self/mounts tells. */
export const cgroupRoot = (mounts: string): string | undefined =>
  mounts
    .split("\n")
    .map((line) => line.split(" "))
    .find(([, , kind]) => kind === "cgroup2")?.[1];

/**
 * Makes a cgroup in `parent` and sets what `limits` ask; what the kernel refuses is told to `note` and left out, for an
 * engine without a bound is better than none. `undefined` when there can be no cgroup.
 */
export function makeUnitCgroup(
  parent: string,
  unit: string,
  limits: Limits,
  note: (note: string) => void,
): UnitCgroup | undefined {
  const path = join(parent, `omni-${unit}`);
  try {
    enableControllers(parent, limits);
    mkdirSync(path);
  } catch (error) {
    note(`Engines run without a cgroup: ${path} cannot be made: ${messageOf(error)}.`);
    return undefined;
  }
  const set = (file: string, value: string): boolean => {
    try {
      if (!existsSync(join(path, file))) throw new Error("the controller is not available here");
      writeFileSync(join(path, file), value);
      return true;
    } catch (error) {
      note(
        `${file.replace(/\..*/, "")} is not bounded by a cgroup: ${file} cannot be set: ${messageOf(error)}.`,
      );
      return false;
    }
  };
  const { memory, cpus, numaNode } = limits;
  // An engine of several processes ends as one rather than as a cripple.
  if (memory !== undefined && set("memory.max", String(memory))) set("memory.oom.group", "1");
  return {
    path,
    bindsCpus: cpus !== undefined && set("cpuset.cpus", cpus),
    bindsNode: numaNode !== undefined && set("cpuset.mems", String(numaNode)),
  };
}

/** Controllers reach a child only where its parent hands them on; the kernel refuses that where the parent has processes. */
function enableControllers(parent: string, { memory, cpus, numaNode }: Limits): void {
  const wanted = [
    ...(memory === undefined ? [] : ["memory"]),
    ...(cpus === undefined && numaNode === undefined ? [] : ["cpuset"]),
  ];
  const handedOn = readWords(join(parent, "cgroup.subtree_control"));
  const available = readWords(join(parent, "cgroup.controllers"));
  for (const controller of wanted) {
    if (handedOn.includes(controller) || !available.includes(controller)) continue;
    if (!handOn(parent, controller) && makeRoom(parent)) handOn(parent, controller);
  }
}

/** False where it was refused; that is told where the limit cannot be set. */
function handOn(parent: string, controller: string): boolean {
  try {
    writeFileSync(join(parent, "cgroup.subtree_control"), `+${controller}`);
    return true;
  } catch {
    return false;
  }
}

const isOurs = (pid: number): boolean =>
  pid === process.pid || parentOf(pid) === process.pid || markOf(pid) !== undefined;

/** Moves Omni and its own out of the cgroup that they were given, if nobody else is in it. */
function makeRoom(parent: string): boolean {
  const inside = readWords(join(parent, "cgroup.procs")).map(Number);
  if (inside.length === 0 || !inside.every(isOurs)) return false;
  try {
    mkdirSync(join(parent, OWN), { recursive: true });
    for (const pid of inside) writeFileSync(join(parent, OWN, "cgroup.procs"), String(pid));
    return true;
  } catch {
    return false;
  }
}

/** Processes of a cgroup and those below it. */
export function cgroupProcesses(path: string): readonly number[] {
  const own = readWords(join(path, "cgroup.procs")).map(Number);
  return [...own, ...childrenOf(path).flatMap(cgroupProcesses)];
}

/** Kills everything in a cgroup and below it at once. */
export function killCgroup(path: string): void {
  try {
    writeFileSync(join(path, "cgroup.kill"), "1");
  } catch {
    // Gone, or a kernel before 5.14: group and mark are killed in any case.
  }
}

/** Removes a cgroup and those below it once they are empty; gives up after 2 s. */
export async function removeCgroup(path: string): Promise<void> {
  for (const until = performance.now() + REMOVE_WAIT; existsSync(path); await sleep(20)) {
    try {
      for (const child of childrenOf(path)) await removeCgroup(child);
      rmdirSync(path);
    } catch {
      if (performance.now() > until) return;
    }
  }
}

function childrenOf(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(path, name));
  } catch {
    return [];
  }
}

function readWords(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}
