import { entriesOf, runsOf } from "./runbook-book.ts";
import { isLocked } from "./kernel-lock.ts";
import { readDatabase } from "./read-database.ts";
import type { JournalRow, RunRow } from "./runbook-row.ts";
import { applyLockPath } from "./state-paths.ts";

/** The version of the schema that brought the tables of the runbook. */
const SINCE = 7;

/** A run with its journal, oldest entry first. */
export interface JournaledRun {
  readonly run: RunRow;
  readonly entries: readonly JournalRow[];
}

/**
 * Runs of a spec with their journals, oldest first, also while one is at work; none where nothing was ever applied.
 * Throws OmniError `store.unwritable` when the database is there and cannot be read.
 */
export const readRunbook = (stateFolder: string, spec: string): readonly JournaledRun[] =>
  readDatabase(stateFolder, "journal of the runbook", (database, version) =>
    version < SINCE
      ? []
      : runsOf(database, spec).map((run) => ({ run, entries: entriesOf(database, run.id) })),
  ) ?? [];

/** Whether a living process applies a spec of this name. */
export const isRunbookLocked = (stateFolder: string, spec: string): boolean =>
  isLocked(applyLockPath(stateFolder, spec));
