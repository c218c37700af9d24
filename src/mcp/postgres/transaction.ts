import type { FieldDef } from "pg";
import type { Cut, RowBounds } from "./row-sink.ts";
import type { Session } from "./session.ts";
import type { PostgresOptions } from "./postgres-options.ts";
import { ToolFailure } from "./tool-failure.ts";

/** Milliseconds that a whole call may take beyond one statement's time, by our clock and then by the server's. */
export const SLACK = 1000;
const SERVER_SLACK = 5000;
/** Numbers below are PostgreSQL's own types, which never change their names. */
const FIRST_OWN_TYPE = 16_384;
/** `transaction_timeout` came with 17. */
const TRANSACTION_TIMEOUT = 170_000;

/** A result as its caller gets it. */
export interface RowSet {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Each row as a JSON array. */
  readonly rows: readonly string[];
  readonly cut?: Cut;
  /** Values that were shortened. */
  readonly cutValues: number;
  readonly command?: string;
  readonly affected: number | null;
}

/** What runs in one transaction. */
export interface Transaction {
  readonly version: number;
  /** A statement of ours; values as text. */
  list(sql: string, values?: readonly unknown[]): Promise<readonly (readonly (string | null)[])[]>;
  /** A statement of anybody's. */
  rows(sql: string, values: readonly unknown[], bounds: RowBounds): Promise<RowSet>;
}

/** Begins a transaction whose settings and snapshot stand before anybody's statement comes. */
export async function begin(session: Session, writes: boolean, options: PostgresOptions): Promise<void> {
  const { version, looksForClient, searchPath } = session.backend;
  const path = options.schemas?.map((name) => `"${name.replaceAll('"', '""')}"`).join(", ") ?? searchPath;
  const settings: Readonly<Record<string, string>> = {
    statement_timeout: String(options.statementTimeout),
    lock_timeout: String(options.lockTimeout),
    idle_in_transaction_session_timeout: String(options.idleTimeout),
    search_path: ["pg_catalog", path, "pg_temp"].filter((part) => part !== "").join(", "),
    ...(version >= TRANSACTION_TIMEOUT
      ? { transaction_timeout: String(options.statementTimeout + SERVER_SLACK) }
      : {}),
    ...(looksForClient ? { client_connection_check_interval: "1000" } : {}),
  };
  await session.run(`BEGIN ISOLATION LEVEL READ COMMITTED ${writes ? "READ WRITE" : "READ ONLY"}`);
  // As a query it also takes a snapshot, after which the transaction can no longer be made one that writes.
  await session.run(
    `SELECT pg_catalog.set_config(s.n, s.v, true)
     FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) AS s(n, v)`,
    [Object.keys(settings), Object.values(settings)],
  );
}

/** The transaction of a session that `begin` has begun. */
export class SessionTransaction implements Transaction {
  readonly #session: Session;
  readonly #writes: boolean;
  readonly #names: Map<string, string>;

  /** @param names Names of types as they were told before, by number and modifier. */
  constructor(session: Session, writes: boolean, names: Map<string, string>) {
    this.#session = session;
    this.#writes = writes;
    this.#names = names;
  }

  get version(): number {
    return this.#session.backend.version;
  }

  list(sql: string, values?: readonly unknown[]): Promise<readonly (readonly (string | null)[])[]> {
    return this.#session.run(sql, values);
  }

  async rows(sql: string, values: readonly unknown[], bounds: RowBounds): Promise<RowSet> {
    const { fields, sink, affected, command } = await this.#session.read(sql, values, bounds, this.#writes);
    if (this.#writes && !this.#session.within) {
      throw new ToolFailure("The statement ended the transaction that it ran in; nothing more was done.");
    }
    const types = await this.#typesOf(fields);
    return {
      columns: fields.map(({ name }, index) => ({ name, type: types[index] ?? "unknown" })),
      rows: sink.rows,
      ...(sink.cut === undefined ? {} : { cut: sink.cut }),
      cutValues: sink.cutValues,
      affected,
      ...(command === undefined ? {} : { command }),
    };
  }

  async #typesOf(fields: readonly FieldDef[]): Promise<readonly string[]> {
    const unknown = fields.filter((field) => !this.#names.has(key(field)));
    const told = new Map(this.#names);
    if (unknown.length > 0 && this.#session.alive) {
      const names = await this.#session.run(
        `SELECT pg_catalog.format_type(t.o, nullif(t.m, -1))
         FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int4[]))
           WITH ORDINALITY AS t(o, m, i) ORDER BY t.i`,
        [unknown.map(({ dataTypeID }) => dataTypeID), unknown.map((field) => field.dataTypeModifier)],
      );
      for (const [index, field] of unknown.entries()) {
        const name = names[index]?.[0] ?? "unknown";
        told.set(key(field), name);
        if (field.dataTypeID < FIRST_OWN_TYPE) this.#names.set(key(field), name);
      }
    }
    return fields.map((field) => told.get(key(field)) ?? `type ${field.dataTypeID}`);
  }
}

const key = ({ dataTypeID, dataTypeModifier }: FieldDef): string => `${dataTypeID}:${dataTypeModifier}`;
