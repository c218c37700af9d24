import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { OmniError, messageOf } from "../core/index.ts";
import { schemaVersion } from "./schema.ts";
import { databasePath } from "./state-paths.ts";

/**
 * Reads from a state folder's database without owning it. `undefined` when there is none. `what` is named in the
 * OmniError `store.unwritable` that is thrown when it cannot be read.
 */
export function readDatabase<T>(
  stateFolder: string,
  what: string,
  read: (database: DatabaseSync, version: number) => T,
): T | undefined {
  const path = databasePath(stateFolder);
  if (!existsSync(path)) return undefined;
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
    try {
      return read(database, schemaVersion(database));
    } finally {
      database.close();
    }
  } catch (error) {
    throw unreadable(what, path, error);
  }
}

/** Why a database cannot be read; `what` of it was wanted. */
export const unreadable = (what: string, path: string, error: unknown): OmniError =>
  new OmniError("store.unwritable", `The ${what} in ${path} cannot be read: ${messageOf(error)}.`, {
    hint: "Check the file's owner; a damaged database is set aside when the node starts.",
    cause: error,
  });
