import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Whether a process exists and is not merely waiting to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}

/** Waits until `condition` holds; fails after `limit` ms, naming what it waited for. */
export async function eventually(what: string, condition: () => boolean, limit = 20_000): Promise<void> {
  const until = performance.now() + limit;
  while (!condition()) {
    if (performance.now() > until) throw new Error(`after ${limit} ms still not: ${what}`);
    await sleep(20);
  }
}
