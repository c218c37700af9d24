import { Client } from "pg";
import { z } from "zod";
import { MessageGuard } from "./message-guard.ts";
import type { MessageBounds } from "./message-guard.ts";
import { readRows } from "./row-reader.ts";
import type { Reading } from "./row-reader.ts";
import type { RowBounds } from "./row-sink.ts";
import { connectionSettings } from "./connection-settings.ts";
import type { PostgresOptions } from "./postgres-options.ts";
import { StatementCursor } from "./statement-cursor.ts";

/** Milliseconds to connect, and to say goodbye. */
const CONNECT_TIME = 5000;
const END_TIME = 500;
const MIB = 1024 * 1024;

/** Values of the server as text, whatever their type is. */
const AS_TEXT = { getTypeParser: () => (text: unknown) => text };
const rows = z.array(z.array(z.union([z.string(), z.null()])));

/** Which server process it is. The start tells a process from a later one of the same number. */
export interface Backend {
  readonly pid: number;
  readonly started: string;
  /** 180004 is 18.4. */
  readonly version: number;
  readonly database: string;
  /** Where the role looks for names without schema by the settings of server, database and role. */
  readonly searchPath: string;
  /** Whether the server can look for a client that is gone while it works. */
  readonly looksForClient: boolean;
}

/** One connection to the database. Whoever finds it odd destroys it: what a session may still hold is not worth a guess. */
export class Session {
  readonly #client: Client;
  readonly #guard: MessageGuard;
  /** Statements that wait: the driver forgets one that is over but for the server's last word, and would leave it waiting. */
  readonly #listeners = new Set<() => void>();
  #gone = false;
  #broken = false;
  #backend: Backend | undefined;

  private constructor(client: Client, guard: MessageGuard) {
    this.#client = client;
    this.#guard = guard;
  }

  /** Connects. Rejects with what the driver throws, or the signal's reason. */
  static async open(options: PostgresOptions, signal: AbortSignal, onEnd: () => void): Promise<Session> {
    signal.throwIfAborted();
    const client = new Client({ ...connectionSettings(options), connectionTimeoutMillis: CONNECT_TIME });
    const guard = new MessageGuard(receiveBounds(options), () => client.connection.stream.destroy());
    const session = new Session(client, guard);
    const listen = (): void => {
      client.connection.stream.on("data", (piece: Buffer) => guard.feed(piece));
    };
    // Over TLS the messages are on another stream, which is there once it has been agreed on.
    if (client.ssl) client.connection.once("sslconnect", listen);
    else listen();
    const ended = (): void => {
      for (const tell of session.#listeners) tell();
      if (session.#gone) return;
      session.#gone = true;
      onEnd();
    };
    client.on("error", ended);
    client.on("end", ended);
    const stop = (): void => void client.connection.stream.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await client.connect();
      session.#backend = await backendOf(session);
      return session;
    } catch (error) {
      await session.destroy();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  get alive(): boolean {
    return !this.#gone;
  }

  /** Throws before it is known, which is before `open` has resolved. */
  get backend(): Backend {
    if (this.#backend === undefined) throw new Error("The session is not open yet.");
    return this.#backend;
  }

  /** Whether no transaction is open: what the server said after the last statement. */
  get idle(): boolean {
    return this.#client.getTransactionStatus() === "I";
  }

  /** Whether a transaction is open in which nothing has failed. */
  get within(): boolean {
    return this.#client.getTransactionStatus() === "T";
  }

  /** Whether this side ended it in the middle of a statement, so that the server may still be at work. */
  get broken(): boolean {
    return this.#broken || this.#guard.tripped !== undefined;
  }

  /** Length of the message that ended it because it was too long. */
  get tooLong(): number | undefined {
    return this.#guard.tripped;
  }

  /** Runs a statement of ours, values as text; rejects with what the driver throws. */
  async run(text: string, values?: readonly unknown[]): Promise<readonly (readonly (string | null)[])[]> {
    this.#guard.begin();
    const result = await this.#client.query({
      text,
      rowMode: "array",
      types: AS_TEXT,
      ...(values === undefined ? {} : { values: [...values] }),
    });
    return rows.parse(result.rows);
  }

  /** Runs a statement of anybody's in the extended protocol, where the server itself refuses several at once. */
  read(sql: string, values: readonly unknown[], bounds: RowBounds, whole: boolean): Promise<Reading> {
    const cursor = new StatementCursor(sql, values, () => {
      this.#broken = true;
      this.#client.connection.stream.destroy();
    });
    this.#client.query(cursor);
    const { promise: lost, reject } = Promise.withResolvers<never>();
    lost.catch(() => undefined);
    const tell = (): void => reject(new Error("The connection was lost."));
    this.#listeners.add(tell);
    return readRows(cursor, this.#guard, lost, { bounds, whole }).finally(() => this.#listeners.delete(tell));
  }

  /** Ends it at once, whatever it does. */
  async destroy(): Promise<void> {
    this.#gone = true;
    this.#client.connection.stream.destroy();
    await this.#client.end().catch(() => undefined);
  }

  /** Says goodbye, and does not wait long for an answer. */
  async end(): Promise<void> {
    this.#gone = true;
    const timer = setTimeout(() => this.#client.connection.stream.destroy(), END_TIME);
    await this.#client.end().catch(() => undefined);
    clearTimeout(timer);
  }
}

/** Twice an answer and a megabyte for one message, because a value that is shown short may be longer; twice that a batch. */
const receiveBounds = ({ maxBytes }: PostgresOptions): MessageBounds => ({
  message: 2 * maxBytes + MIB,
  batch: 2 * (2 * maxBytes + MIB),
});

async function backendOf(session: Session): Promise<Backend> {
  const [row = []] = await session.run(
    `SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('server_version_num'),
       pg_catalog.current_database(), pg_catalog.current_setting('search_path'),
       (SELECT a.backend_start::pg_catalog.text FROM pg_catalog.pg_stat_activity a
        WHERE a.pid = pg_catalog.pg_backend_pid())`,
  );
  const [pid, version, database, searchPath, started] = row;
  // PostgreSQL 14 and newer, and not on every system.
  const looksForClient = await session
    .run("SET client_connection_check_interval = 1000")
    .then(() => true)
    .catch(() => false);
  return {
    pid: Number(pid),
    version: Number(version),
    database: database ?? "",
    searchPath: searchPath ?? "",
    started: started ?? "",
    looksForClient,
  };
}
