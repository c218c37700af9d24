import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Sends a signal to a process group; nothing happens when it is gone. */
function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process.platform === "win32" ? group : -group, signal);
  } catch {
    // Gone already.
  }
}

/** Whether a process of the group still runs; one that only waits to be reaped by its parent does not. */
function groupLives(group: number): boolean {
  try {
    process.kill(process.platform === "win32" ? group : -group, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  return readdirSync("/proc").some((name) => /^\d+$/.test(name) && isMember(name, group));
}

function isMember(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, , member] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return member === String(group) && state !== "Z";
  } catch {
    return false;
  }
}

/** SIGTERM, and SIGKILL after `grace` ms for what is left; resolves when nothing of the group runs, or after one more second. */
export async function endGroup(group: number, grace: number): Promise<void> {
  signalGroup(group, "SIGTERM");
  if (await goneWithin(group, grace)) return;
  signalGroup(group, "SIGKILL");
  await goneWithin(group, 1000);
}

async function goneWithin(group: number, limit: number): Promise<boolean> {
  const until = performance.now() + limit;
  for (let wait = 1; groupLives(group); wait = Math.min(wait * 2, 50)) {
    if (performance.now() > until) return false;
    await sleep(wait);
  }
  return true;
}
