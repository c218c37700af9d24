import type { DatabaseSync, StatementSync } from "node:sqlite";
import { present } from "../core/index.ts";
import type { AuditFilter, AuditRow } from "./audit-row.ts";

export type NewAuditRow = Omit<AuditRow, "seq">;

/** Milliseconds that rows wait for each other. */
const GATHER = 250;
/** Rows of one writing: about half a millisecond that nobody else gets. */
const BATCH = 128;
/** Rows that wait while another process writes; those beyond are lost. */
const MOST_WAITING = 8000;
/** Bytes of kept contents that wait; rows beyond are kept without theirs. */
const MOST_CONTENTS = 32 * 1024 * 1024;
/** Between two looks at what is too old, milliseconds. */
const TIDY = 600_000;
/** Rows that one answer reads at most. */
const MOST_READ = 1000;

export interface AuditBounds {
  /** Milliseconds. */
  readonly age: number;
  readonly rows: number;
}

const COLUMNS =
  "time, request, key, channel, server, method, name, shape, argument_bytes, result_bytes, outcome, code, duration, approved_by, arguments, result";

/** The audit over SQLite: rows are written together, a moment later, by a connection that waits for nobody. */
export class AuditTable {
  readonly #database: DatabaseSync;
  readonly #bounds: AuditBounds;
  readonly #lost: (rows: number, why: string) => void;
  readonly #insert: StatementSync;
  readonly #tidy: NodeJS.Timeout;
  #waiting: NewAuditRow[] = [];
  #contents = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: DatabaseSync, bounds: AuditBounds, lost: (rows: number, why: string) => void) {
    this.#database = database;
    this.#bounds = bounds;
    this.#lost = lost;
    this.#insert = database.prepare(
      `INSERT INTO mcp_audit (${COLUMNS}) VALUES (${COLUMNS.replaceAll(/\w+/g, "?")})`,
    );
    this.#tidy = setInterval(() => this.#write([], true), TIDY).unref();
    this.#write([], true);
  }

  add(row: NewAuditRow): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#lost(1, `the disk is slower than calls come: ${MOST_WAITING} rows wait to be written`);
      return;
    }
    const bytes = contentsOf(row);
    if (bytes > 0 && this.#contents + bytes > MOST_CONTENTS) {
      const { contents: _, ...rest } = row;
      this.#waiting.push(rest);
    } else {
      this.#contents += bytes;
      this.#waiting.push(row);
    }
    this.#timer ??= setTimeout(() => this.#tick(), GATHER).unref();
  }

  /** Newest first, with what waits as far as it can be written. Throws SQLite's error. */
  latest({ limit, before, key, server, outcome }: AuditFilter): readonly AuditRow[] {
    this.flush();
    const conditions = ["seq < ?"];
    const values: (string | number)[] = [before ?? Number.MAX_SAFE_INTEGER];
    for (const [column, value] of Object.entries({ key, server, outcome })) {
      if (value === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(value);
    }
    return this.#database
      .prepare(
        `SELECT seq, ${COLUMNS} FROM mcp_audit WHERE ${conditions.join(" AND ")} ORDER BY seq DESC LIMIT ?`,
      )
      .all(...values, Math.max(0, Math.min(limit, MOST_READ)))
      .map(rowOf);
  }

  flush(): void {
    while (this.#waiting.length > 0 && this.#writeSome()) {
      // Each round writes a batch.
    }
  }

  /** Writes what waits for the last time. */
  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#tidy);
    this.flush();
    if (this.#waiting.length > 0)
      this.#lost(this.#waiting.length, "the database could not be written at the end");
  }

  #tick(): void {
    this.#timer = undefined;
    this.#writeSome();
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#tick(), GATHER / 5).unref();
  }

  #writeSome(): boolean {
    const batch = this.#waiting.slice(0, BATCH);
    if (!this.#write(batch, false)) return false;
    this.#waiting = this.#waiting.slice(batch.length);
    for (const row of batch) this.#contents -= contentsOf(row);
    return true;
  }

  /** False when another process has the database, or the disk is full. */
  #write(batch: readonly NewAuditRow[], prune: boolean): boolean {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const row of batch) this.#insert.run(...valuesOf(row));
      if (prune) this.#prune();
      this.#database.exec("COMMIT");
      return true;
    } catch {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      return false;
    }
  }

  #prune(): void {
    this.#database.prepare("DELETE FROM mcp_audit WHERE time <= ?").run(Date.now() - this.#bounds.age);
    this.#database
      .prepare("DELETE FROM mcp_audit WHERE seq <= (SELECT max(seq) FROM mcp_audit) - ?")
      .run(this.#bounds.rows);
  }
}

const contentsOf = ({ contents }: NewAuditRow): number =>
  contents === undefined ? 0 : 2 * (contents.arguments.length + contents.result.length);

const valuesOf = (row: NewAuditRow): (string | number | null)[] => [
  Math.round(row.time),
  row.request,
  row.key,
  row.channel,
  row.server,
  row.method,
  row.name,
  row.shape,
  row.argumentBytes,
  row.resultBytes,
  row.outcome,
  row.code ?? null,
  row.duration,
  row.approvedBy ?? null,
  row.contents?.arguments ?? null,
  row.contents?.result ?? null,
];

function rowOf(row: Record<string, unknown>): AuditRow {
  const text = (column: string): string | undefined => {
    const value = row[column];
    return typeof value === "string" ? value : undefined;
  };
  const number = (column: string): number => Number(row[column]);
  const kept = text("arguments");
  return {
    seq: number("seq"),
    time: number("time"),
    request: text("request") ?? "",
    key: text("key") ?? "",
    channel: text("channel") ?? "",
    server: text("server") ?? "",
    method: text("method") ?? "",
    name: text("name") ?? "",
    shape: text("shape") ?? "",
    argumentBytes: number("argument_bytes"),
    resultBytes: number("result_bytes"),
    outcome: text("outcome") ?? "",
    duration: number("duration"),
    ...present({
      code: text("code"),
      approvedBy: text("approved_by"),
      contents: kept === undefined ? undefined : { arguments: kept, result: text("result") ?? "" },
    }),
  };
}
