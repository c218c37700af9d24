import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processMark } from "./process-mark.ts";

/** Longest that a process may hold the lock, ms: one that was frozen within must not stop all others. */
const LONGEST_HOLD = 2000;

/** Writes a file so that no reader ever sees half of it. */
export function writeWhole(path: string, content: string): void {
  const aside = `${path}.${process.pid}.part`;
  writeFileSync(aside, content, { mode: 0o600 });
  renameSync(aside, path);
}

/** Paths of the JSON files of a folder, in the order of their names; none where the folder is missing. */
export function jsonFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .toSorted()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Does something that no other process of the board may do at the same time. Waits in place: it takes a millisecond. */
export function alone<T>(folder: string, act: () => T): T {
  const lock = join(folder, "lock");
  const waited = new Int32Array(new SharedArrayBuffer(4));
  for (const since = performance.now(); !take(lock);) {
    if (performance.now() - since > LONGEST_HOLD || !holderLives(lock))
      rmSync(lock, { recursive: true, force: true });
    else Atomics.wait(waited, 0, 0, 1);
  }
  try {
    return act();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function take(lock: string): boolean {
  try {
    mkdirSync(lock);
  } catch {
    return false;
  }
  writeFileSync(join(lock, "pid"), String(process.pid));
  return true;
}

/** One that has not yet written its number has just begun. */
function holderLives(lock: string): boolean {
  try {
    const pid = Number(readFileSync(join(lock, "pid"), "utf8"));
    return pid === 0 || processMark(pid) !== undefined;
  } catch {
    return true;
  }
}
