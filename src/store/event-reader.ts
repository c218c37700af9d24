import type { DatabaseSync } from "node:sqlite";
import type { NodeEvent } from "../core/index.ts";
import { EVENT_COLUMNS, fromRow } from "./event-row.ts";
import { readDatabase } from "./read-database.ts";

/** The newest `latest` events, or at most `limit` events after number `after`. */
export type EventQuery = { readonly latest: number } | { readonly after: number; readonly limit: number };

/**
 * Reads events without being the node, also while it runs; oldest first. `undefined` when no node ever ran with this
 * folder. Throws OmniError `store.unwritable` when the database is there and cannot be read.
 */
export const readEvents = (stateFolder: string, query: EventQuery): readonly NodeEvent[] | undefined =>
  readDatabase(stateFolder, "events", (database, version) => (version === 0 ? [] : select(database, query)));

function select(database: DatabaseSync, query: EventQuery): readonly NodeEvent[] {
  const events = `SELECT ${EVENT_COLUMNS} FROM events`;
  return "latest" in query
    ? database.prepare(`${events} ORDER BY seq DESC LIMIT ?`).all(query.latest).map(fromRow).toReversed()
    : database
        .prepare(`${events} WHERE seq > ? ORDER BY seq LIMIT ?`)
        .all(query.after, query.limit)
        .map(fromRow);
}
