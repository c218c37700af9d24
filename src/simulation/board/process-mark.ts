import { readFileSync } from "node:fs";

/**
 * What tells a process from a later one with the same number: boot and start time on Linux. `undefined` when it is gone;
 * elsewhere than on Linux the bare fact that the number is in use.
 */
export function processMark(pid: number): string | undefined {
  if (process.platform !== "linux") return isThere(pid) ? "there" : undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may itself hold spaces and parentheses: fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    return `${bootId()}:${fields[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

let boot: string | undefined;
const bootId = (): string => (boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim());
