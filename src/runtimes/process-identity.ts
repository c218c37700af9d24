import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

/** The environment variable that marks an engine and all its descendants as ours. */
export const UNIT_MARK = "OMNI_UNIT";

/**
 * What tells a process from a later one with the same number: boot and start time on Linux, start time by `ps`
 * elsewhere. `undefined` when there is no such process, or when this system cannot tell.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return linuxIdentity(pid);
  if (process.platform === "win32") return undefined;
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

function linuxIdentity(pid: number): string | undefined {
  const stat = processStat(pid);
  if (stat === undefined || stat.zombie) return undefined;
  bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return `${bootId}:${stat.startTime}`;
}

let bootId: string | undefined;

/** What /proc tells of a process; `undefined` where it is gone or there is no /proc. `startTime` in ticks since boot. */
function processStat(
  pid: number,
): { readonly zombie: boolean; readonly parent: number; readonly startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may itself hold spaces and parentheses: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { zombie: fields[0] === "Z", parent: Number(fields[1]), startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/** Start time of a process in ticks since boot, `-` where this system does not tell. */
export const startTimeOf = (pid: number): string => processStat(pid)?.startTime ?? "-";

/** The process that started it, where /proc tells. */
export const parentOf = (pid: number): number | undefined => processStat(pid)?.parent;

/**
 * Whether a process still is the one that `identity` was taken of. Without /proc a process with the same number passes
 * for it, and one that nobody reaps passes for alive.
 */
export function isSameProcess(pid: number, identity: string): boolean {
  return process.platform === "linux" ? linuxIdentity(pid) === identity : isTaken(pid);
}

/** Whether there is any process with this number, one that waits to be reaped included. */
export function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Processes that carry the mark of one unit, also those that left its process group. Empty where /proc is missing. */
export function markedProcesses(unit: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && markOf(pid) === unit);
}

/** The unit that a process belongs to, by its mark. */
export function markOf(pid: number): string | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    return environment.find((entry) => entry.startsWith(`${UNIT_MARK}=`))?.slice(UNIT_MARK.length + 1);
  } catch {
    return undefined;
  }
}

/** Sends a signal to a process, or to a group when negative; one that is gone is no fault. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: it ended by itself in the meantime. EPERM: it became another user's, and is not ours to end.
  }
}

/** Kills a process group by its leader's number, on Windows the process alone. */
export function killGroup(pid: number): void {
  signalProcess(process.platform === "win32" ? pid : -pid, "SIGKILL");
}

/** Kills every process that carries the unit's mark, wherever it went. */
export function killMarked(unit: string): void {
  for (const pid of markedProcesses(unit)) signalProcess(pid, "SIGKILL");
}
