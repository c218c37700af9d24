import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { databasePath } from "./state-paths.ts";

/** What was asked and answered, byte for byte. */
export interface KeptContent {
  /** Id of the request. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly key: string;
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
  /** False where only the beginning of one of the two was kept. */
  readonly whole: boolean;
}

export interface ContentBounds {
  /** Milliseconds. */
  readonly age: number;
  /** Bytes of all contents together; the oldest go first. */
  readonly bytes: number;
}

/** Contents of requests, which the owner of a node asked for. */
export interface Contents {
  /** Keeps it. Throws nothing and waits for nothing: contents are written together, once a second. */
  put(content: KeptContent): void;
  get(id: string): KeptContent | undefined;
  /** Writes what waits. */
  flush(): void;
  close(): void;
}

const GATHER = 1000;
/** Bytes that wait to be written; contents beyond are lost. */
const MOST_WAITING = 32 * 1024 * 1024;
/** Bytes of one writing, so that it does not hold up the streams of others for long. */
const BATCH = 4 * 1024 * 1024;
/** Between two looks at what is too old when nothing is written, milliseconds. */
const TIDY = 600_000;

/**
 * Opens the contents of a state folder, on a connection of their own. `lost` is told of contents that could not be kept.
 */
export function openContents(
  stateFolder: string,
  bounds: ContentBounds,
  lost: (contents: number, why: string) => void = () => undefined,
): Contents {
  const database = new DatabaseSync(databasePath(stateFolder), { timeout: 0 });
  database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000; PRAGMA secure_delete = ON");
  return new ContentTable(database, bounds, lost);
}

/** Deletes all contents that a state folder holds: what an owner no longer wants kept must not stay. */
export function dropContents(stateFolder: string): void {
  openContents(stateFolder, { age: 0, bytes: 0 }).close();
}

class ContentTable implements Contents {
  readonly #database: DatabaseSync;
  readonly #bounds: ContentBounds;
  readonly #lost: (contents: number, why: string) => void;
  readonly #insert: StatementSync;
  #waiting: KeptContent[] = [];
  #bytes = 0;
  readonly #tidy = setInterval(() => this.#write([]), TIDY).unref();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(database: DatabaseSync, bounds: ContentBounds, lost: (contents: number, why: string) => void) {
    this.#database = database;
    this.#bounds = bounds;
    this.#lost = lost;
    this.#insert = database.prepare(
      "INSERT OR REPLACE INTO contents (id, time, key, bytes, whole, request, answer) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#write([]);
  }

  put(content: KeptContent): void {
    if (this.#closed) return;
    const bytes = sizeOf(content);
    if (bytes > this.#bounds.bytes) {
      this.#lost(1, `one of ${bytes} bytes is more than all of them may have`);
    } else if (this.#bytes + bytes > MOST_WAITING) {
      this.#lost(1, "the disk is slower than requests come");
    } else {
      this.#waiting.push(content);
      this.#bytes += bytes;
      this.#timer ??= setTimeout(() => this.#tick(), GATHER).unref();
    }
  }

  get(id: string): KeptContent | undefined {
    const waiting = this.#waiting.findLast((content) => content.id === id);
    if (waiting !== undefined) return waiting;
    const row = this.#database
      .prepare("SELECT time, key, whole, request, answer FROM contents WHERE id = ?")
      .get(id);
    const request = row?.["request"];
    const answer = row?.["answer"];
    if (row === undefined || !(request instanceof Uint8Array) || !(answer instanceof Uint8Array))
      return undefined;
    return {
      id,
      time: Number(row["time"]),
      key: String(row["key"]),
      request,
      answer,
      whole: row["whole"] === 1,
    };
  }

  flush(): void {
    while (this.#waiting.length > 0 && this.#writeSome()) {
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
    this.#writeSome();
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#tick(), GATHER).unref();
  }

  #writeSome(): boolean {
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length && (count === 0 || bytes < BATCH)) {
      const content = this.#waiting[count++];
      bytes += content === undefined ? 0 : sizeOf(content);
    }
    if (!this.#write(this.#waiting.slice(0, count))) return false;
    this.#waiting = this.#waiting.slice(count);
    this.#bytes -= bytes;
    return true;
  }

  /** One batch and what has to go for it, whole or not at all. False when another process has the database. */
  #write(batch: readonly KeptContent[]): boolean {
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const content of batch) {
        const { id, time, key, whole, request, answer } = content;
        this.#insert.run(id, time, key, sizeOf(content), whole ? 1 : 0, request, answer);
      }
      this.#database.prepare("DELETE FROM contents WHERE time <= ?").run(Date.now() - this.#bounds.age);
      // The oldest beyond the bound, found in the index alone.
      this.#database
        .prepare(
          `DELETE FROM contents WHERE rowid IN (SELECT rowid FROM
             (SELECT rowid, sum(bytes) OVER (ORDER BY time DESC, rowid DESC) AS together FROM contents)
           WHERE together > ?)`,
        )
        .run(this.#bounds.bytes);
      this.#database.exec("COMMIT");
      return true;
    } catch {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      return false;
    }
  }
}

/** Names and the row itself count too. */
const sizeOf = ({ id, key, request, answer }: KeptContent): number =>
  request.byteLength + answer.byteLength + id.length + key.length + 64;
