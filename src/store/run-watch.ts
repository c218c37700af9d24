import { DatabaseSync } from "node:sqlite";
import { toRun } from "./runbook-row.ts";
import type { RunRow } from "./runbook-row.ts";
import { databasePath } from "./state-paths.ts";

/** Milliseconds that a look waits for a lock. */
const PATIENCE = 50;

/** Runs of the runbook as other processes write them. */
export interface RunWatch {
  /** The newest run of each spec; `undefined` where the database is as it was at the last look, or busy. */
  look(): readonly RunRow[] | undefined;
  close(): void;
}

/**
 * Looks at the runs of a state folder whose database is there, on a connection of its own: where nobody wrote since the last
 * look, SQLite tells so from a counter. Throws SQLite's error where it cannot be opened.
 */
export function watchRuns(stateFolder: string): RunWatch {
  const database = new DatabaseSync(databasePath(stateFolder), { readOnly: true, timeout: PATIENCE });
  const version = database.prepare("PRAGMA data_version");
  const newest = database.prepare(
    "SELECT * FROM runbook_runs WHERE id IN (SELECT max(id) FROM runbook_runs GROUP BY spec) ORDER BY id",
  );
  let known: unknown;
  return {
    look() {
      try {
        const now = version.get()?.["data_version"];
        if (now === known) return undefined;
        const runs = newest.all().map(toRun);
        known = now;
        return runs;
      } catch {
        return undefined;
      }
    },
    close: () => database.close(),
  };
}
