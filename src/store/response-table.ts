import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { databasePath } from "./state-paths.ts";
import type { ResponseBounds } from "./response-bounds.ts";
import { RESPONSE_BOUNDS } from "./response-bounds.ts";

/** One answer with what it was asked, as texts of JSON. */
export interface StoredResponse {
  readonly id: string;
  /** The response that it continues. */
  readonly previous?: string;
  /** Its own input items, a JSON list. */
  readonly input: string;
  /** The response object as the client got it. */
  readonly answer: string;
  /** Ids of its items, by which later requests may refer to them. */
  readonly items: readonly string[];
}

/** Answers of one key are never seen by another: every method takes the key's name. */
export interface StoredResponses {
  /** Keeps it; says why not, where it is not kept. Never throws. */
  put(key: string, response: StoredResponse): string | undefined;
  get(key: string, id: string): Omit<StoredResponse, "items"> | undefined;
  /** Id of the response that holds an item. */
  holderOf(key: string, item: string): string | undefined;
  /** Tells that these are still in use, so that they are not the first to go. */
  touch(key: string, ids: readonly string[]): void;
  /** False when there was none. */
  delete(key: string, id: string): boolean;
  close(): void;
}

/** Responses between two looks at the bounds; they may be exceeded by as many. */
const PRUNE_EVERY = 64;
/** Milliseconds that a use or a deletion waits for another process that writes just now. */
const USUAL_PATIENCE = 100;
/**
 * The same for what is to be kept. What is held instead is not seen by the other processes of
 * a gateway, which the client's next request may meet at once: that one broken is worse than a moment of this process.
 */
const PATIENCE = 1000;
/** Milliseconds until what is held is tried again. */
const AGAIN = 50;
/** Responses that wait for a database which cannot be written; the oldest are lost beyond. */
const HELD_LIMIT = 64;
/** Bound parameters of one statement, far below SQLite's own limit. */
const MOST_PARAMETERS = 500;

interface Held {
  readonly key: string;
  readonly response: StoredResponse;
}

/** Opens the stored responses of a state folder, on a connection of their own: several processes may at the same time. */
export function openResponses(stateFolder: string, bounds: Partial<ResponseBounds> = {}): StoredResponses {
  const database = new DatabaseSync(databasePath(stateFolder), { timeout: USUAL_PATIENCE });
  database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000");
  return new ResponseTable(database, { ...RESPONSE_BOUNDS, ...bounds });
}

/** Stored responses over SQLite. What cannot be written now is held in memory and written a moment later. */
export class ResponseTable implements StoredResponses {
  readonly #database: DatabaseSync;
  readonly #bounds: ResponseBounds;
  readonly #now: () => number;
  readonly #insert: StatementSync;
  readonly #insertItem: StatementSync;
  readonly #select: StatementSync;
  readonly #holder: StatementSync;
  readonly #remove: StatementSync;
  #held: Held[] = [];
  #sincePruned = PRUNE_EVERY;
  #again: NodeJS.Timeout | undefined;

  /** The database becomes the table's own and is closed with it. `now` is milliseconds since the epoch. */
  constructor(database: DatabaseSync, bounds: ResponseBounds, now: () => number = Date.now) {
    this.#database = database;
    this.#bounds = bounds;
    this.#now = now;
    this.#insert = database.prepare(
      "INSERT OR REPLACE INTO responses (key, id, used, previous, input, answer, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#insertItem = database.prepare(
      "INSERT OR REPLACE INTO response_items (key, item, response) VALUES (?, ?, ?)",
    );
    this.#select = database.prepare(
      "SELECT id, previous, input, answer FROM responses WHERE key = ? AND id = ? AND used > ?",
    );
    this.#holder = database.prepare("SELECT response FROM response_items WHERE key = ? AND item = ?");
    this.#remove = database.prepare("DELETE FROM responses WHERE key = ? AND id = ?");
  }

  put(key: string, response: StoredResponse): string | undefined {
    const size = bytesOf(response);
    if (size > this.#bounds.each) {
      return `it takes ${size} bytes with its input, and at most ${this.#bounds.each} are kept of one`;
    }
    // Where one waits already, somebody else holds the database for long, and nobody's request is held up for it again.
    const patience = this.#held.length === 0 ? PATIENCE : 0;
    this.#held.push({ key, response });
    this.#writeHeld(patience);
    return undefined;
  }

  get(key: string, id: string): Omit<StoredResponse, "items"> | undefined {
    const held = this.#held.findLast((entry) => entry.key === key && entry.response.id === id);
    if (held !== undefined) return held.response;
    const row = this.#select.get(key, id, this.#now() - this.#bounds.age);
    if (row === undefined) return undefined;
    const previous = row["previous"];
    return {
      id,
      ...(typeof previous === "string" ? { previous } : {}),
      input: String(row["input"]),
      answer: String(row["answer"]),
    };
  }

  holderOf(key: string, item: string): string | undefined {
    const held = this.#held.findLast((entry) => entry.key === key && entry.response.items.includes(item));
    if (held !== undefined) return held.response.id;
    const found = this.#holder.get(key, item)?.["response"];
    return typeof found === "string" ? found : undefined;
  }

  touch(key: string, ids: readonly string[]): void {
    for (let at = 0; at < ids.length; at += MOST_PARAMETERS) {
      const some = ids.slice(at, at + MOST_PARAMETERS);
      const marks = some.map(() => "?").join(", ");
      try {
        this.#database
          .prepare(`UPDATE responses SET used = ? WHERE key = ? AND id IN (${marks})`)
          .run(this.#now(), key, ...some);
      } catch {
        // A later use tells it again.
      }
    }
  }

  delete(key: string, id: string): boolean {
    const before = this.#held.length;
    this.#held = this.#held.filter((entry) => entry.key !== key || entry.response.id !== id);
    return Number(this.#remove.run(key, id).changes) > 0 || this.#held.length < before;
  }

  close(): void {
    this.#writeHeld(PATIENCE);
    clearTimeout(this.#again);
    this.#database.close();
  }

  /** `patience`: milliseconds that it may wait for another process that writes. */
  #writeHeld(patience: number): void {
    if (this.#held.length === 0) return;
    try {
      this.#database.exec(`PRAGMA busy_timeout = ${patience}; BEGIN IMMEDIATE`);
      for (const held of this.#held) this.#write(held);
      this.#sincePruned += this.#held.length;
      if (this.#sincePruned >= PRUNE_EVERY) this.#prune();
      this.#database.exec("COMMIT");
      this.#held = [];
    } catch {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#held = this.#held.slice(-HELD_LIMIT);
      clearTimeout(this.#again);
      this.#again = setTimeout(() => this.#writeHeld(0), AGAIN).unref();
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${USUAL_PATIENCE}`);
    }
  }

  #write({ key, response }: Held): void {
    const { id, previous, input, answer, items } = response;
    this.#insert.run(key, id, this.#now(), previous ?? null, input, answer, bytesOf(response));
    for (const item of items) this.#insertItem.run(key, item, id);
  }

  /** Bounds by age, by key and in all; reads indexes only, unless something has to go. */
  #prune(): void {
    const { age, perKey, all } = this.#bounds;
    this.#database.prepare("DELETE FROM responses WHERE used <= ?").run(this.#now() - age);
    const sums = this.#database
      .prepare("SELECT key, count(*) AS count, sum(bytes) AS bytes FROM responses GROUP BY key")
      .all()
      .map((row) => ({
        key: String(row["key"]),
        count: Number(row["count"]),
        bytes: Number(row["bytes"]),
      }));
    for (const { key, ...sum } of sums) this.#bound(sum, perKey, "WHERE key = ?", [key]);
    const count = sums.reduce((total, sum) => total + Math.min(sum.count, perKey.count), 0);
    const bytes = sums.reduce((total, sum) => total + Math.min(sum.bytes, perKey.bytes), 0);
    this.#bound({ count, bytes }, all, "", []);
    this.#sincePruned = 0;
  }

  /** Deletes those used longest ago until the rest keeps the bound. */
  #bound(sum: Size, most: Size, where: string, parameters: readonly string[]): void {
    if (sum.count <= most.count && sum.bytes <= most.bytes) return;
    let { count, bytes } = sum;
    const doomed: number[] = [];
    const oldest = this.#database
      .prepare(`SELECT rowid, bytes FROM responses ${where} ORDER BY used, rowid`)
      .iterate(...parameters);
    for (const row of oldest) {
      if (count <= most.count && bytes <= most.bytes) break;
      doomed.push(Number(row["rowid"]));
      count--;
      bytes -= Number(row["bytes"]);
    }
    const remove = this.#database.prepare("DELETE FROM responses WHERE rowid = ?");
    for (const rowid of doomed) remove.run(rowid);
  }
}

interface Size {
  readonly count: number;
  readonly bytes: number;
}

/** What a response takes on the disk, about. */
const bytesOf = ({ id, input, answer, items }: StoredResponse): number =>
  Buffer.byteLength(input) + Buffer.byteLength(answer) + id.length + 100 * items.length;
