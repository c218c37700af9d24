import type { RowBatch } from "./request-batch.ts";
import type { HistoryQuery, ServiceHistory } from "./request-history.ts";
import type { RequestRow } from "./request-row.ts";
import type { RequestFilter, RequestTable } from "./request-table.ts";

/** A batch and what it is called. */
export interface NumberedBatch {
  readonly number: number;
  readonly batch: RowBatch;
  /** It went to somebody before who is gone, and may have been written. */
  readonly again?: boolean;
}

/** What becomes of batches. */
export interface WriterNotices {
  /** The batch is off the writer's hands. */
  readonly done: (number: number) => void;
  /** Rows that can never be written. */
  readonly lost: (rows: number, why: string) => void;
}

/** Milliseconds until a database that another process holds is tried again. */
const RETRY = 50;
/** Between two looks at what is too old, milliseconds; a look is one statement. */
const TIDY = 3_600_000;

/**
 * Writes batches in their order, each whole or not at all, and keeps what cannot be written yet. In a thread of its own it
 * writes them as they come; where others have to wait meanwhile, one at a time with a pause.
 */
export class RequestWriter {
  readonly #table: RequestTable;
  readonly #notices: WriterNotices;
  readonly #pause: number;
  readonly #waiting: NumberedBatch[] = [];
  readonly #tidy: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;

  /** `pause` in milliseconds between two batches; 0 writes all that is there. */
  constructor(table: RequestTable, notices: WriterNotices, pause: number) {
    this.#table = table;
    this.#notices = notices;
    this.#pause = pause;
    this.#tidy = setInterval(() => table.prune(), TIDY).unref();
  }

  take(one: NumberedBatch): void {
    this.#waiting.push(one);
    if (this.#timer === undefined) this.#work();
  }

  /** What was recorded, newest first, with what waits as far as it can be written. */
  latest(limit: number, filter: RequestFilter): readonly RequestRow[] {
    this.flush();
    return this.#table.latest(limit, filter);
  }

  /** How a service answered, with what waits as far as it can be written. */
  history(query: HistoryQuery): ServiceHistory {
    this.flush();
    return this.#table.history(query);
  }

  flush(): void {
    while (this.#waiting.length > 0 && this.#writeOne()) {
      // Each round writes a batch.
    }
  }

  /** Writes what waits for the last time. What is not told done then is not written. */
  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#tidy);
    this.flush();
    this.#table.close();
  }

  #work(): void {
    this.#timer = undefined;
    if (this.#pause === 0) this.flush();
    else if (this.#waiting.length > 0) this.#writeOne();
    if (this.#waiting.length > 0 || this.#pause > 0)
      this.#timer = setTimeout(() => this.#again(), Math.max(this.#pause, RETRY)).unref();
  }

  #again(): void {
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#work();
  }

  #writeOne(): boolean {
    const [one] = this.#waiting;
    if (one === undefined) return false;
    const { number, batch, again = false } = one;
    if (!again || !this.#table.holds(batch)) {
      const written = this.#table.write(batch);
      if (written === undefined) return false;
      if (written.why !== undefined) this.#notices.lost(batch.rows - written.rows, written.why);
    }
    this.#waiting.shift();
    this.#notices.done(number);
    return true;
  }
}
