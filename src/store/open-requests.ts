import { messageOf } from "../core/index.ts";
import { BATCH_ROWS, RowPacker } from "./request-batch.ts";
import type { RowBatch } from "./request-batch.ts";
import type { HistoryQuery, ServiceHistory } from "./request-history.ts";
import type { RequestRow } from "./request-row.ts";
import { RequestTable } from "./request-table.ts";
import type { RequestBounds, RequestFilter } from "./request-table.ts";
import { RequestWriter } from "./request-writer.ts";
import type { WriterNotices } from "./request-writer.ts";
import { REQUEST_THREAD, ThreadWriter } from "./thread-writer.ts";

/** Requests one by one, as the console shows them. */
export interface Requests {
  /** Keeps a row. Throws nothing and waits for nothing: rows are written together, by a thread of their own. */
  record(row: RequestRow): void;
  /** The newest `limit` (at most 1000) that the filter lets through, newest first. Rejects when they cannot be read. */
  latest(limit: number, filter?: RequestFilter): Promise<readonly RequestRow[]>;
  /**
   * How a service answered, step by step: steps grow where there would be more than a thousand. Rejects when the rows cannot
   * be read.
   */
  history(query: HistoryQuery): Promise<ServiceHistory>;
  /** Writes what waits, for at most `time` milliseconds; what is left then is lost and told. */
  close(time?: number): Promise<void>;
}

export interface RequestOptions {
  readonly bounds?: Partial<RequestBounds>;
  /** Told of rows that could not be kept, and why. */
  readonly lost?: (rows: number, why: string) => void;
  /** Program of the thread that writes; another one than the store's own is for tests of what happens when it dies. */
  readonly program?: URL;
}

/** Milliseconds that rows wait for each other. */
const GATHER = 250;
/** Rows that wait while the disk is slow or another process writes, a quarter of a kilobyte each; those beyond are lost. */
const MOST_WAITING = 8000;
/** Milliseconds between two batches of this thread's own: one for each row, a millisecond or two of writing each time. */
const OWN_PAUSE = BATCH_ROWS;
/** Milliseconds that the end may take. */
const END = 2000;

/**
 * Opens the requests of a state folder. A thread writes and reads them, because SQLite waits for the disk many
 * milliseconds at a time; it begins with the first row or question. Where it dies, this thread goes on in its place.
 */
export function openRequests(stateFolder: string, options: RequestOptions = {}): Requests {
  return new OpenRequests(stateFolder, options);
}

class OpenRequests implements Requests {
  readonly #stateFolder: string;
  readonly #options: RequestOptions;
  readonly #lost: (rows: number, why: string) => void;
  readonly #notices: WriterNotices;
  readonly #packer = new RowPacker();
  /** Rows of the next batch, which are packed together. */
  #rows: RequestRow[] = [];
  /** Batches that are not known to be written. */
  readonly #sent = new Map<number, RowBatch>();
  #numbers = 0;
  /** Rows in them and in the next one. */
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #thread: ThreadWriter | undefined;
  /** What writes in place of a thread that died. */
  #own: RequestWriter | undefined;
  #closed: Promise<void> | undefined;

  constructor(stateFolder: string, options: RequestOptions) {
    this.#stateFolder = stateFolder;
    this.#options = options;
    this.#lost = options.lost ?? (() => undefined);
    this.#notices = { done: (number) => this.#done(number), lost: this.#lost };
  }

  record(row: RequestRow): void {
    if (this.#closed !== undefined) return;
    if (this.#waiting >= MOST_WAITING) {
      this.#lost(1, `the disk is slower than requests come: ${MOST_WAITING} rows wait to be written`);
      return;
    }
    this.#waiting++;
    if (this.#rows.push(row) >= BATCH_ROWS) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), GATHER).unref();
  }

  latest(limit: number, filter: RequestFilter = {}): Promise<readonly RequestRow[]> {
    return this.#ask((writer) => writer.latest(limit, filter));
  }

  history(query: HistoryQuery): Promise<ServiceHistory> {
    return this.#ask((writer) => writer.history(query));
  }

  close(time: number = END): Promise<void> {
    this.#closed ??= this.#close(time);
    return this.#closed;
  }

  async #ask<T>(question: (writer: ThreadWriter | RequestWriter) => T | Promise<T>): Promise<T> {
    this.#send();
    const writer = this.#writer();
    try {
      return await question(writer);
    } catch (error) {
      // Whoever is in the place of a thread that died answers what that one was asked.
      if (this.#own === undefined || this.#own === writer) throw error;
      return question(this.#own);
    }
  }

  async #close(time: number): Promise<void> {
    this.#send();
    await this.#thread?.close(time);
    this.#own?.close();
    this.#thread = undefined;
    if (this.#waiting > 0) this.#lost(this.#waiting, "the database could not be written at the end");
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#rows.length === 0) return;
    for (const row of this.#rows) this.#packer.add(row);
    this.#rows = [];
    const batch = this.#packer.take();
    const number = ++this.#numbers;
    this.#sent.set(number, batch);
    try {
      this.#writer().take({ number, batch });
    } catch (error) {
      this.#done(number);
      this.#lost(batch.rows, `the database cannot be opened: ${messageOf(error)}`);
    }
  }

  #done(number: number): void {
    const batch = this.#sent.get(number);
    if (batch === undefined) return;
    this.#sent.delete(number);
    this.#waiting -= batch.rows;
    this.#packer.reuse(batch);
  }

  /** Who writes and reads. Throws SQLite's error where that is this thread and it cannot. */
  #writer(): ThreadWriter | RequestWriter {
    if (this.#own !== undefined) return this.#own;
    const { bounds = {}, program = REQUEST_THREAD } = this.#options;
    this.#thread ??= new ThreadWriter({
      program,
      stateFolder: this.#stateFolder,
      bounds,
      notices: this.#notices,
      died: (why) => this.#takeOver(why),
    });
    return this.#thread;
  }

  /** No patience here: a request is never kept waiting for a lock, its row is. */
  #takeOver(why: string): void {
    this.#thread = undefined;
    process.emitWarning(`The thread that writes requests down died (${why}); they are written without it.`);
    try {
      const table = new RequestTable(this.#stateFolder, this.#options.bounds ?? {}, 0);
      this.#own = new RequestWriter(table, this.#notices, OWN_PAUSE);
      for (const [number, batch] of this.#sent) this.#own.take({ number, batch, again: true });
    } catch (error) {
      // The next batch begins another thread.
      for (const [number, batch] of this.#sent) {
        this.#done(number);
        this.#lost(batch.rows, `the database cannot be opened: ${messageOf(error)}`);
      }
    }
  }
}
