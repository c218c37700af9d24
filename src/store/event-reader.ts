import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { NodeEvent } from "../core/index.ts";
import { OmniError, messageOf } from "../core/index.ts";
import { EVENT_COLUMNS, fromRow } from "./event-row.ts";
import { schemaVersion } from "./schema.ts";
import { databasePath } from "./state-paths.ts";

/** The newest `latest` events, or at most `limit` events after number `after`. */
export type EventQuery = { readonly latest: number } | { readonly after: number; readonly limit: number };

/**
 * Reads events without being the node, also while it runs; oldest first. `undefined` when no node ever ran with this
 * folder. Throws OmniError `store.unwritable` when the database is there and cannot be read.
 */
export function readEvents(stateFolder: string, query: EventQuery): readonly NodeEvent[] | undefined {
  const path = databasePath(stateFolder);
  if (!existsSync(path)) return undefined;
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
    try {
      return schemaVersion(database) === 0 ? [] : select(database, query);
    } finally {
      database.close();
    }
  } catch (error) {
    throw new OmniError("store.unwritable", `The events in ${path} cannot be read: ${messageOf(error)}.`, {
      hint: "Check the file's owner; a damaged database is set aside when the node starts.",
      cause: error,
    });
  }
}

function select(database: DatabaseSync, query: EventQuery): readonly NodeEvent[] {
  const events = `SELECT ${EVENT_COLUMNS} FROM events`;
  return "latest" in query
    ? database.prepare(`${events} ORDER BY seq DESC LIMIT ?`).all(query.latest).map(fromRow).toReversed()
    : database
        .prepare(`${events} WHERE seq > ? ORDER BY seq LIMIT ?`)
        .all(query.after, query.limit)
        .map(fromRow);
}
