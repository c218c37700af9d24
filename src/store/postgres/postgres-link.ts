import { Client } from "pg";
import type { QueryResultRow } from "pg";
import { OmniError } from "../../core/index.ts";
import { postgresPlace, unreachable } from "./postgres-place.ts";
import type { PostgresPlace } from "./postgres-place.ts";
import { migratePostgres } from "./postgres-schema.ts";

/** Milliseconds: to connect, for a statement by the server's and by our own clock, and between two attempts. */
const CONNECT_TIME = 3000;
const STATEMENT_TIME = 2000;
const QUERY_TIME = 5000;
const END_TIME = 1000;
const LEAST_DELAY = 250;
const MOST_DELAY = 10_000;

export interface LinkListener {
  /** The database is there (again). */
  up(): void;
  /** It is not; `reason` carries no secret. */
  down(reason: string): void;
  /** A notification on the channel. */
  notified(): void;
}

/**
 * One connection to PostgreSQL that comes back by itself, a little later each time. While it is away every query fails
 * at once: nobody waits for a database that is not there.
 */
export class PostgresLink {
  readonly place: PostgresPlace;
  readonly #channel: string;
  readonly #listener: LinkListener;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #delay = LEAST_DELAY;
  #closed = false;
  #lastReason = "it was not reached yet";

  /** Throws OmniError `store.unreachable` when the connection string is none. */
  constructor(connectionString: string, channel: string, listener: LinkListener) {
    this.place = postgresPlace(connectionString);
    this.#channel = channel;
    this.#listener = listener;
  }

  /** Connects once. Rejects with OmniError; `keepTrying` then goes on by itself. */
  async connect({ keepTrying }: { readonly keepTrying: boolean }): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      const told = unreachable(this.place, error);
      // A newer schema does not grow older by waiting.
      if (keepTrying && told.code === "store.unreachable") this.#failed(told.message);
      throw told;
    }
  }

  /** Runs one statement. Rejects with OmniError `store.unreachable`, with the server's own error for a refused value. */
  async query<R extends QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly R[]> {
    const client = this.#client;
    if (client === undefined)
      throw new OmniError("store.unreachable", `${this.place.name} is away: ${this.#lastReason}.`);
    try {
      const { rows } = await client.query<R>({ text, values: [...values] });
      return rows;
    } catch (error) {
      // A statement that hangs by our clock leaves a connection that answers out of turn.
      if (isTimeout(error)) this.#lost(client, "it does not answer");
      throw unreachable(this.place, error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await endOf(client);
  }

  async #connect(): Promise<void> {
    const client = new Client({
      connectionString: this.place.connectionString,
      connectionTimeoutMillis: CONNECT_TIME,
      query_timeout: QUERY_TIME,
      application_name: "omni",
      keepAlive: true,
    });
    client.on("error", (error) => this.#lost(client, this.place.clean(error.message)));
    client.on("end", () => this.#lost(client, "the connection ended"));
    client.on("notification", () => this.#listener.notified());
    try {
      await client.connect();
      await migratePostgres(client, this.place.name);
      await client.query(`SET statement_timeout = ${STATEMENT_TIME}`);
      await client.query(`LISTEN ${this.#channel}`);
    } catch (error) {
      await endOf(client);
      throw error;
    }
    if (this.#closed) {
      await endOf(client);
      return;
    }
    this.#client = client;
    this.#delay = LEAST_DELAY;
    this.#listener.up();
  }

  #lost(client: Client, reason: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    void endOf(client);
    if (!this.#closed) this.#failed(reason);
  }

  #failed(reason: string): void {
    this.#lastReason = reason;
    this.#listener.down(reason);
    this.#timer = setTimeout(() => {
      this.#connect().catch((error: unknown) => {
        if (!this.#closed) this.#failed(unreachable(this.place, error).message);
      });
    }, this.#delay);
    this.#timer.unref();
    this.#delay = Math.min(MOST_DELAY, this.#delay * 2);
  }
}

/** Ends a connection; one whose other side is silent is left to the kernel after a second. */
async function endOf(client: Client): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, END_TIME);
  await Promise.race([client.end().catch(() => undefined), promise]);
  clearTimeout(timer);
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && error.message === "Query read timeout";
