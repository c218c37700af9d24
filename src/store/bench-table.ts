import { mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf, OmniError } from "../core/index.ts";
import { readDatabase } from "./read-database.ts";
import { migrate } from "./schema.ts";
import { databasePath } from "./state-paths.ts";

/** What a run of the bench was of: runs of equal ones are compared. */
export interface BenchKey {
  /** Service of a node, or the address that was measured. */
  readonly service: string;
  /** Kind of engine; empty where nobody tells. */
  readonly engine: string;
  readonly model: string;
  /** Names of the cards' models; `cpu` for none, nothing where nobody tells. */
  readonly cards: readonly string[];
  /** The name that was asked for. */
  readonly route: string;
}

export interface NewBenchRow extends BenchKey {
  readonly omniVersion: string;
  /** What the engine was started as; empty where nobody tells. */
  readonly digest: string;
  readonly engineVersion: string;
  /** What was measured and how often; JSON. */
  readonly settings: unknown;
  /** JSON. */
  readonly numbers: unknown;
}

export interface BenchRow extends NewBenchRow {
  /** Rows of one call of the command have the same. */
  readonly run: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Rows that are kept: of one kind, and of all together. The oldest go first. */
const KEPT = { perKey: 50, all: 2000 } as const;
/** Milliseconds that a row waits for a node that writes. */
const PATIENCE = 5000;

const COLUMNS =
  "run, time, version, digest, service, engine, engine_version, model, cards, route, settings, numbers";

/**
 * Keeps the rows of one run and tells its number. A node may own the folder meanwhile. Throws OmniError `store.unwritable` and
 * `store.newer-version`.
 */
export function keepBenchRun(
  stateFolder: string,
  rows: readonly NewBenchRow[],
  time: number,
  kept: { readonly perKey: number; readonly all: number } = KEPT,
): number {
  const path = databasePath(stateFolder);
  try {
    mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path, { timeout: PATIENCE });
    try {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      migrate(database, path);
      return insertRun(database, rows, time, kept);
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof OmniError) throw error;
    throw new OmniError("store.unwritable", `The bench cannot be kept in ${path}: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function insertRun(
  database: DatabaseSync,
  rows: readonly NewBenchRow[],
  time: number,
  kept: { readonly perKey: number; readonly all: number },
): number {
  database.exec("BEGIN IMMEDIATE");
  try {
    const last = database.prepare("SELECT max(run) AS last FROM bench_runs").get()?.["last"];
    const run = Number(last ?? 0) + 1;
    const insert = database.prepare(
      `INSERT INTO bench_runs (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const row of rows) insert.run(run, Math.round(time), ...valuesOf(row));
    database
      .prepare(
        `DELETE FROM bench_runs WHERE id IN (
           SELECT id FROM (
             SELECT id, row_number() OVER (PARTITION BY service, engine, model, cards, route ORDER BY id DESC) AS place,
               row_number() OVER (ORDER BY id DESC) AS age FROM bench_runs
           ) WHERE place > ? OR age > ?)`,
      )
      .run(kept.perKey, kept.all);
    database.exec("COMMIT");
    return run;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

const valuesOf = (row: NewBenchRow): readonly string[] => [
  row.omniVersion,
  row.digest,
  row.service,
  row.engine,
  row.engineVersion,
  row.model,
  JSON.stringify(row.cards),
  row.route,
  JSON.stringify(row.settings),
  JSON.stringify(row.numbers),
];

/**
 * All that is kept, newest first; none of a folder that no node or bench used. Throws OmniError `store.unwritable` where the
 * database is there and cannot be read.
 */
export const readBenchRuns = (stateFolder: string): readonly BenchRow[] =>
  readDatabase(stateFolder, "benches", (database) => {
    const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'bench_runs'").get();
    if (table === undefined) return [];
    return database.prepare(`SELECT ${COLUMNS} FROM bench_runs ORDER BY id DESC`).all().map(rowOf);
  }) ?? [];

function rowOf(row: Readonly<Record<string, unknown>>): BenchRow {
  const text = (column: string): string => String(row[column]);
  const cards: unknown = JSON.parse(text("cards"));
  return {
    run: Number(row["run"]),
    time: Number(row["time"]),
    omniVersion: text("version"),
    digest: text("digest"),
    service: text("service"),
    engine: text("engine"),
    engineVersion: text("engine_version"),
    model: text("model"),
    cards: Array.isArray(cards) ? cards.map(String) : [],
    route: text("route"),
    settings: JSON.parse(text("settings")),
    numbers: JSON.parse(text("numbers")),
  };
}
