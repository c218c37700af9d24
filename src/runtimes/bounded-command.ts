import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { LaunchSpec } from "../engines/engine.ts";
import type { UnitCgroup } from "./unit-cgroup.ts";
import { cgroupRoot, makeUnitCgroup, writableCgroup } from "./unit-cgroup.ts";

/** Enters the cgroup before the engine exists, so that nothing it starts can be outside. */
const ENTER = `{ echo 0 >"$0/cgroup.procs"; } 2>/dev/null
exec "$@"`;

/** A command as it is started, and the cgroup that it runs in. */
export interface BoundedCommand {
  readonly command: readonly string[];
  readonly cgroup?: string;
}

/**
 * What has to be started for the launch's limits to hold: in a cgroup where this process may make one (`parent`), and
 * through taskset and numactl for what no cgroup binds. Limits that nothing here can enforce are told to `note`.
 */
export function boundedCommand(
  launch: LaunchSpec,
  unit: string,
  parent: string | undefined,
  note: (note: string) => void,
): BoundedCommand {
  const { limits = {}, command } = launch;
  const path = launch.environment["PATH"] ?? process.env["PATH"] ?? "";
  const { memory, cpus, numaNode } = limits;
  // A program that is not there is named by the start itself, not by a shell that stands before it.
  if ((memory ?? cpus ?? numaNode) === undefined || findProgram(command[0], path) === undefined) {
    return { command };
  }
  if (parent === undefined) {
    if (memory !== undefined)
      note("Engines run without a bound on memory: this user may make no cgroup (v2) here.");
  }
  const cgroup = parent === undefined ? undefined : makeUnitCgroup(parent, unit, limits, note);
  const bound = [...processorWords(limits, cgroup, path, note), ...command];
  if (cgroup === undefined) return { command: bound };
  return { command: ["/bin/sh", "-c", ENTER, cgroup.path, ...bound], cgroup: cgroup.path };
}

function processorWords(
  { cpus, numaNode }: NonNullable<LaunchSpec["limits"]>,
  cgroup: UnitCgroup | undefined,
  path: string,
  note: (note: string) => void,
): readonly string[] {
  const words: string[] = [];
  if (numaNode !== undefined && cgroup?.bindsNode !== true) {
    if (findProgram("numactl", path) !== undefined) words.push("numactl", `--membind=${numaNode}`, "--");
    else note("Engines are not bound to a NUMA node: neither a cgroup nor numactl is available.");
  }
  if (cpus !== undefined && cgroup?.bindsCpus !== true) {
    if (findProgram("taskset", path) !== undefined) words.push("taskset", "-c", cpus);
    else note("Engines are not bound to processors: neither a cgroup nor taskset is available.");
  }
  return words;
}

/** The file that a command's first word names; `undefined` when there is none that may be executed. */
export function findProgram(program: string, path: string): string | undefined {
  const folders = program.includes("/") ? [""] : path.split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Where this process may make cgroups; `undefined` where it may not, or there are none. */
export function cgroupParent(): string | undefined {
  try {
    const root = cgroupRoot(readFileSync("/proc/self/mounts", "utf8"));
    return root === undefined ? undefined : writableCgroup(root, readFileSync("/proc/self/cgroup", "utf8"));
  } catch {
    return undefined;
  }
}
