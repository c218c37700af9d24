import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { REQUEST_COLUMNS, requestOf, requestValues } from "./request-row.ts";
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

/** Requests one by one, as the console shows them. */
export interface Requests {
  /** Keeps a row. Throws nothing and waits for nothing: rows are written together, four times a second. */
  record(row: RequestRow): void;
  /** The newest `limit` (at most 1000) that the filter lets through, newest first. */
  latest(limit: number, filter?: RequestFilter): readonly RequestRow[];
  /** Writes what waits. */
  flush(): void;
  close(): void;
}

/** Milliseconds that rows wait for each other. */
const GATHER = 250;
/** Rows of one writing: a thousand a second, each writing a millisecond or two long. */
const BATCH = 250;
/** Rows that wait while another process writes; the oldest are lost beyond. */
const MOST_WAITING = 1000;
const PRUNE_EVERY = 1000;
const MOST_ANSWERED = 1000;
/** Between two looks at what is too old, milliseconds; a look is one statement. */
const TIDY = 3_600_000;
/** Columns that a filter may compare. */
const EQUAL = ["id", "key", "route", "service", "model", "outcome"] as const;

export interface RequestTableOptions {
  readonly bounds?: Partial<RequestBounds>;
  /** Told of rows that could not be kept, and why. */
  readonly lost?: (rows: number, why: string) => void;
}

/** Opens the requests of a state folder, on a connection of their own: several processes may at the same time. */
export function openRequests(stateFolder: string, options: RequestTableOptions = {}): Requests {
  // No patience: a request is never kept waiting for a lock, its row is.
  const database = new DatabaseSync(databasePath(stateFolder), { timeout: 0 });
  database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 500");
  return new RequestTable(database, options);
}

class RequestTable implements Requests {
  readonly #database: DatabaseSync;
  readonly #bounds: RequestBounds;
  readonly #lost: (rows: number, why: string) => void;
  readonly #insert: StatementSync;
  #waiting: RequestRow[] = [];
  readonly #tidy = setInterval(() => this.#prune(), TIDY).unref();
  #timer: NodeJS.Timeout | undefined;
  #written = 0;
  #closed = false;

  constructor(database: DatabaseSync, { bounds, lost }: RequestTableOptions) {
    this.#database = database;
    this.#bounds = { ...REQUEST_BOUNDS, ...bounds };
    this.#lost = lost ?? (() => undefined);
    const marks = REQUEST_COLUMNS.split(",").map(() => "?");
    this.#insert = database.prepare(`INSERT INTO requests (${REQUEST_COLUMNS}) VALUES (${marks.join(", ")})`);
    this.#prune();
  }

  record(row: RequestRow): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MOST_WAITING) {
      this.#lost(1, `more than ${(BATCH * 1000) / GATHER} requests a second end, or the disk is slow`);
      return;
    }
    this.#waiting.push(row);
    this.#timer ??= setTimeout(() => this.#tick(), GATHER).unref();
  }

  latest(limit: number, filter: RequestFilter = {}): readonly RequestRow[] {
    this.flush();
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

  flush(): void {
    while (this.#waiting.length > 0 && this.#write()) {
      // Each round writes a batch.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#tidy);
    this.flush();
    if (this.#waiting.length > 0)
      this.#lost(this.#waiting.length, "the database could not be written at the end");
    this.#database.close();
  }

  #tick(): void {
    this.#timer = undefined;
    this.#write();
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#tick(), GATHER).unref();
  }

  /** One batch, whole or not at all. False when another process has the database. */
  #write(): boolean {
    const batch = this.#waiting.slice(0, BATCH);
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const row of batch) this.#insert.run(...requestValues(row));
      this.#database.exec("COMMIT");
    } catch {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      return false;
    }
    this.#waiting = this.#waiting.slice(batch.length);
    this.#written += batch.length;
    if (this.#written >= PRUNE_EVERY) this.#prune();
    return true;
  }

  /** Deletes what is older or more than the bounds allow; a database that is busy is pruned the next time. */
  #prune(): void {
    this.#written = 0;
    const { age, rows } = this.#bounds;
    try {
      this.#database
        .prepare(
          `DELETE FROM requests WHERE seq <= (SELECT max(seq) FROM requests) - ?
           OR seq < coalesce((SELECT seq FROM requests WHERE time >= ? ORDER BY seq LIMIT 1), 9e15)`,
        )
        .run(rows, Date.now() - age);
    } catch {
      this.#written = PRUNE_EVERY;
    }
  }
}
