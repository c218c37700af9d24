import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { BATCH_ROWS, batchValues } from "./request-batch.ts";
import type { RowBatch } from "./request-batch.ts";
import { RequestHistory } from "./request-history.ts";
import type { HistoryQuery, ServiceHistory } from "./request-history.ts";
import { REQUEST_COLUMNS, requestOf } from "./request-row.ts";
import type { RequestRow } from "./request-row.ts";
import { databasePath } from "./state-paths.ts";

/** How long and how many requests are kept, whichever is less. */
export interface RequestBounds {
  /** Milliseconds. */
  readonly age: number;
  readonly rows: number;
}

const REQUEST_BOUNDS: RequestBounds = { age: 7 * 86_400_000, rows: 100_000 };

/** Which requests are looked for; what is absent is not asked about. */
export interface RequestFilter {
  readonly key?: string;
  readonly route?: string;
  readonly service?: string;
  readonly model?: string;
  readonly outcome?: string;
  readonly id?: string;
  /** Least and greatest status: 500 and 599. */
  readonly status?: readonly [number, number];
  /** Started before this, milliseconds since the epoch: the next page. */
  readonly before?: number;
}

/** How a batch went: how many of its rows are kept, and why the others never can be. */
interface Written {
  readonly rows: number;
  readonly why?: string;
}

const PRUNE_EVERY = 1000;
const MOST_ANSWERED = 1000;
/** Columns that a filter may compare. */
const EQUAL = ["id", "key", "route", "service", "model", "outcome"] as const;
/** Pages that the log of the database may grow by before it is written back, and rows that a page holds. */
const CHECKPOINT_PAGES = 300;
const ROWS_A_PAGE = 18;
/** Of a transaction beside its rows. */
const OTHER_PAGES = 2;
/** SQLITE_CONSTRAINT and SQLITE_MISMATCH: it is the row that cannot be written. */
const UNFIT: ReadonlySet<number> = new Set([19, 20]);

/** The requests of a state folder, on a connection of their own: several processes and threads may at the same time. */
export class RequestTable {
  readonly #database: DatabaseSync;
  readonly #bounds: RequestBounds;
  readonly #insert: StatementSync;
  #history: RequestHistory | undefined;
  #unpruned = 0;
  #unwritten = 0;

  /** `patience`: milliseconds that it waits for a lock. Throws SQLite's error. */
  constructor(stateFolder: string, bounds: Partial<RequestBounds>, patience: number) {
    this.#database = new DatabaseSync(databasePath(stateFolder), { timeout: patience });
    this.#bounds = { ...REQUEST_BOUNDS, ...bounds };
    this.#database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000");
    const marks = REQUEST_COLUMNS.split(",").map(() => "?");
    this.#insert = this.#database.prepare(
      `INSERT INTO requests (${REQUEST_COLUMNS}) VALUES (${marks.join(", ")})`,
    );
    this.prune();
  }

  /** Writes a batch in one transaction. `undefined` when nothing of it could be written now: it is to be tried again. */
  write(batch: RowBatch): Written | undefined {
    this.#writeBack();
    let written: Written = { rows: 0 };
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      written = this.#insertAll(batch);
      this.#database.exec("COMMIT");
    } catch {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      return undefined;
    }
    this.#unwritten += OTHER_PAGES + written.rows / ROWS_A_PAGE;
    this.#unpruned += written.rows;
    if (this.#unpruned >= PRUNE_EVERY) this.prune();
    return written;
  }

  /** Whether a batch has been written already, by somebody who could not say so any more. */
  holds(batch: RowBatch): boolean {
    const [id, time] = batchValues(batch, batch.rows - 1);
    const found = this.#database
      .prepare(
        "SELECT 1 FROM requests WHERE seq > (SELECT max(seq) FROM requests) - ? AND id = ? AND time = ?",
      )
      .get(BATCH_ROWS * 100, id ?? null, time ?? null);
    return found !== undefined;
  }

  /** The newest `limit` (at most 1000) that the filter lets through, newest first. */
  latest(limit: number, filter: RequestFilter): readonly RequestRow[] {
    const { status, before } = filter;
    const equal = EQUAL.flatMap((column) => {
      const value = filter[column];
      return value === undefined ? [] : [{ column, value }];
    });
    const tests = [
      ...equal.map(({ column }) => `${column} = ?`),
      ...(status === undefined ? [] : ["status BETWEEN ? AND ?"]),
      ...(before === undefined ? [] : ["time < ?"]),
    ];
    const where = tests.length === 0 ? "" : `WHERE ${tests.join(" AND ")}`;
    const values = [
      ...equal.map(({ value }) => value),
      ...(status ?? []),
      ...(before === undefined ? [] : [before]),
      Math.min(Math.max(0, Math.floor(limit)), MOST_ANSWERED),
    ];
    return this.#database
      .prepare(`SELECT ${REQUEST_COLUMNS} FROM requests ${where} ORDER BY seq DESC LIMIT ?`)
      .all(...values)
      .map((row) => requestOf(row));
  }

  /** How a service answered, step by step. */
  history(query: HistoryQuery): ServiceHistory {
    this.#history ??= new RequestHistory(this.#database);
    return this.#history.of(query);
  }

  /** Deletes what is older or more than the bounds allow; a database that is busy is pruned the next time. */
  prune(): void {
    this.#unpruned = 0;
    const { age, rows } = this.#bounds;
    try {
      this.#database
        .prepare(
          `DELETE FROM requests WHERE seq <= (SELECT max(seq) FROM requests) - ?
           OR seq < coalesce((SELECT seq FROM requests WHERE time >= ? ORDER BY seq LIMIT 1), 9e15)`,
        )
        .run(rows, Date.now() - age);
    } catch {
      this.#unpruned = PRUNE_EVERY;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** A row that never fits is left out: it would keep all others waiting. */
  #insertAll(batch: RowBatch): Written {
    let unfit = 0;
    let why = "";
    for (let row = 0; row < batch.rows; row++) {
      try {
        this.#insert.run(...batchValues(batch, row));
      } catch (error) {
        if (!isUnfit(error)) throw error;
        unfit++;
        why = `the database does not take them: ${error.message}`;
      }
    }
    return unfit === 0 ? { rows: batch.rows } : { rows: batch.rows - unfit, why };
  }

  /**
   * Writes the database's log back where it has grown. Whoever lets it grow beyond its bound waits for the disk, many
   * milliseconds: by this it is hardly ever the thread that answers requests.
   */
  #writeBack(): void {
    if (this.#unwritten < CHECKPOINT_PAGES) return;
    this.#unwritten = 0;
    try {
      this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // It is written back the next time, or by another connection.
    }
  }
}

const isUnfit = (error: unknown): error is Error =>
  error instanceof Error && "errcode" in error && UNFIT.has(Number(error.errcode) % 256);
