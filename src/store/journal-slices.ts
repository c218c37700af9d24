import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { readDatabase, unreadable } from "./read-database.ts";
import { toEntry, toRun } from "./runbook-row.ts";
import type { JournalRow, RunRow } from "./runbook-row.ts";
import { databasePath } from "./state-paths.ts";

/** The version of the schema that brought the tables of the runbook. */
const SINCE = 7;
/** Milliseconds that are read at a stretch. */
const SLICE = 8;

/** The newest runs of all specs, newest first, at most `most`. Throws OmniError `store.unwritable`. */
export const readRuns = (stateFolder: string, most: number): readonly RunRow[] =>
  readDatabase(stateFolder, "journal of the runbook", (database, version) =>
    version < SINCE
      ? []
      : database.prepare("SELECT * FROM runbook_runs ORDER BY id DESC LIMIT ?").all(most).map(toRun),
  ) ?? [];

/**
 * Hands over the journals of runs, entry by entry, oldest first, and lets the process do other things in between: a journal
 * may have many megabytes. Rejects with OmniError `store.unwritable` where the database cannot be read.
 */
export async function readJournalInSlices(
  stateFolder: string,
  runs: readonly number[],
  take: (row: JournalRow) => void,
): Promise<void> {
  const path = databasePath(stateFolder);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
    const rows = database.prepare(
      "SELECT seq, time, kind, step, data FROM runbook_journal WHERE run = ? ORDER BY seq",
    );
    let began = performance.now();
    for (const run of runs) {
      for (const row of rows.iterate(run)) {
        take(toEntry(row));
        if (performance.now() - began < SLICE) continue;
        await setImmediate();
        began = performance.now();
      }
    }
  } catch (error) {
    throw unreadable("journal of the runbook", path, error);
  } finally {
    database?.close();
  }
}
