import { mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf, OmniError } from "../core/index.ts";
import { takeLock } from "./kernel-lock.ts";
import { lockFolder } from "./node-lock.ts";
import { openDatabase } from "./open-database.ts";
import type { OpenedDatabase } from "./open-database.ts";
import { toEntry, toRun } from "./runbook-row.ts";
import type { JournalRow, RunRow } from "./runbook-row.ts";
import { migrate } from "./schema.ts";
import { applyLockPath, databasePath } from "./state-paths.ts";

/** Runs of one spec that are kept; older ones go when a new one begins. */
const KEPT_RUNS = 50;
/** Milliseconds that a write waits for another process that writes. */
const PATIENCE = 5000;

/** Where runs of the runbook write down what they do, before and after. Every write is on the disk when it returns. */
export interface RunbookBook {
  /** When the database was damaged and a new one was begun: where the old one lies, and what was wrong with it. */
  readonly damaged?: { readonly movedTo: string; readonly reason: string };
  /** Begins a run and forgets the oldest ones of this spec. All that write throw OmniError `runbook.journal`. */
  begin(run: Pick<RunRow, "spec" | "pid" | "by" | "begun">): RunRow;
  write(run: number, entry: Omit<JournalRow, "seq">): void;
  end(run: number, ended: number, outcome: string): void;
  /** Runs of a spec, oldest first. */
  runs(spec: string): readonly RunRow[];
  /** Entries of a run, oldest first. */
  entries(run: number): readonly JournalRow[];
  close(): void;
}

/**
 * Opens the book of a state folder, which need not exist. A damaged database is set aside where no node is at work with it.
 * Throws OmniError `runbook.journal` where it cannot be opened, and `store.newer-version`.
 */
export function openRunbookBook(stateFolder: string): RunbookBook {
  const path = databasePath(stateFolder);
  return named(path, "opened", () => {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    const { database, damaged } = open(stateFolder, path);
    // A power cut must not forget what was begun: each entry is on the disk before its effect starts.
    database.exec("PRAGMA synchronous = FULL");
    return { ...bookOver(database, path), ...(damaged === undefined ? {} : { damaged }) };
  });
}

/** Setting a damaged database aside is for whoever owns the folder: a node that runs, or nobody but this process. */
function open(stateFolder: string, path: string): OpenedDatabase {
  const release = lockFolder(stateFolder);
  if (release !== undefined) {
    try {
      return openDatabase(path);
    } finally {
      release();
    }
  }
  const database = new DatabaseSync(path, { timeout: PATIENCE });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 1000");
    migrate(database, path);
    return { database };
  } catch (error) {
    database.close();
    throw error;
  }
}

function bookOver(database: DatabaseSync, path: string): RunbookBook {
  const insertRun = database.prepare("INSERT INTO runbook_runs (spec, begun, pid, by) VALUES (?, ?, ?, ?)");
  const forget = database.prepare(
    `DELETE FROM runbook_runs WHERE spec = ?1 AND id <=
       (SELECT id FROM runbook_runs WHERE spec = ?1 ORDER BY id DESC LIMIT 1 OFFSET ${KEPT_RUNS})`,
  );
  const insert = database.prepare(
    "INSERT INTO runbook_journal (run, time, kind, step, data) VALUES (?, ?, ?, ?, ?)",
  );
  const end = database.prepare("UPDATE runbook_runs SET ended = ?, outcome = ? WHERE id = ?");
  return {
    begin: (run) =>
      named(path, "written", () => {
        const { lastInsertRowid } = insertRun.run(run.spec, run.begun, run.pid, run.by);
        forget.run(run.spec);
        return { ...run, id: Number(lastInsertRowid) };
      }),
    write: (run, { time, kind, step, data }) =>
      void named(path, "written", () => insert.run(run, time, kind, step ?? null, data)),
    end: (run, ended, outcome) => void named(path, "written", () => end.run(ended, outcome, run)),
    runs: (spec) => named(path, "read", () => runsOf(database, spec)),
    entries: (run) => named(path, "read", () => entriesOf(database, run)),
    close: () => database.close(),
  };
}

export const runsOf = (database: DatabaseSync, spec: string): readonly RunRow[] =>
  database.prepare("SELECT * FROM runbook_runs WHERE spec = ? ORDER BY id").all(spec).map(toRun);

export const entriesOf = (database: DatabaseSync, run: number): readonly JournalRow[] =>
  database
    .prepare("SELECT seq, time, kind, step, data FROM runbook_journal WHERE run = ? ORDER BY seq")
    .all(run)
    .map(toEntry);

function named<T>(path: string, how: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof OmniError) throw error;
    throw new OmniError(
      "runbook.journal",
      `The journal of the runbook in ${path} cannot be ${how}: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

/**
 * The right to apply a spec of this name with this state folder, until the returned function is called or the process ends.
 * `undefined` when another process has it. Throws OmniError `runbook.journal` where the folder cannot be written.
 */
export const lockRunbook = (stateFolder: string, spec: string): (() => void) | undefined =>
  named(applyLockPath(stateFolder, spec), "locked", () => {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    return takeLock(applyLockPath(stateFolder, spec));
  });
