import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { OmniError, messageOf } from "../core/index.ts";
import { migrate } from "./schema.ts";

/** Damaged databases that are kept for whoever wants to look; older ones are deleted. */
const KEPT_ASIDE = 3;

/** SQLITE_CORRUPT, SQLITE_NOTADB and SQLITE_FORMAT: the file itself is at fault, not the disk or its rights. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26, 24]);

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** When the old database was damaged: where it went, and what was wrong with it. */
  readonly damaged?: { readonly movedTo: string; readonly reason: string };
}

/**
 * Opens the database for writing and brings its schema up to date. A damaged one is moved aside and a new one begun,
 * for a node that forgot its events beats one that does not start. Throws OmniError `store.newer-version`,
 * and SQLite's own error when the folder cannot be written.
 */
export function openDatabase(path: string): OpenedDatabase {
  try {
    return { database: open(path) };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const movedTo = moveAside(path);
    return { database: open(path), damaged: { movedTo, reason: messageOf(error) } };
  }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    // NORMAL in WAL mode: a killed process loses nothing, a power cut at most the last moments.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000");
    const verdict = String(database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"] ?? "no answer");
    if (verdict !== "ok") throw new DamageFound(verdict);
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A second connection to an open database, which never waits for a lock. */
export function openAgain(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 });
  database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000");
  return database;
}

class DamageFound extends Error {}

function isDamage(error: unknown): boolean {
  if (error instanceof OmniError) return false;
  if (error instanceof DamageFound) return true;
  return error instanceof Error && "errcode" in error && DAMAGED.has(Number(error.errcode) % 256);
}

function moveAside(path: string): string {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15)}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  const folder = dirname(path);
  const kept = readdirSync(folder)
    .filter((name) => /\.damaged-\w+$/.test(name))
    .toSorted();
  for (const name of kept.slice(0, -KEPT_ASIDE)) {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder, name + suffix), { force: true });
  }
  return join(folder, basename(aside));
}
