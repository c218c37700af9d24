import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const BUSY = 5;
/** A database that nobody refers to is closed by the garbage collector, and its lock with it. */
const HELD = new Set<DatabaseSync>();

/**
 * Takes the lock of a file, which is made where it is absent, until the returned function is called or the process ends,
 * however it ends: the lock is the kernel's on an open file, held by an open transaction of an otherwise empty database, so
 * that no lock is ever stale. Returns `undefined` when another process holds it.
 */
export function takeLock(path: string): (() => void) | undefined {
  // Others look at the lock for a moment only (`isLocked`): waiting a second passes them by.
  const lock = new DatabaseSync(path, { timeout: 1000 });
  try {
    lock.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    HELD.add(lock);
    return () => {
      HELD.delete(lock);
      lock.close();
    };
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** Whether a living process holds the lock of a file. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    lock.prepare("SELECT count(*) FROM sqlite_master").get();
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    lock?.close();
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && "errcode" in error && Number(error.errcode) % 256 === BUSY;
