import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../core/index.ts";
import type { NewEvent } from "../core/index.ts";
import type { UsageRow } from "../store/stored-key.ts";
import type { UsageBook, UsageEntry } from "./key-gate.ts";
import { UsageTally } from "./usage-tally.ts";

/** Entries that come together before they are written at once, and milliseconds that the first of them waits. */
const BATCH = 20_000;
const DELAY = 1000;
/** Milliseconds after which the first failures are tried again: most often another connection holds the database for a moment. */
const SOON = 50;
/** Failures in a row from which on somebody is told. */
const TOLD = 8;
/** Milliseconds that the end tries again, so that nothing is lost to somebody who writes at the same moment. */
const LAST_TRIES = 1000;

export interface UsageWriterOptions {
  /** Adds rows to the books, all or nothing. */
  readonly write: (rows: readonly UsageRow[]) => void | Promise<void>;
  readonly onEvent: (event: NewEvent) => void;
  readonly now?: () => number;
}

/**
 * Keeps usage in memory for a second at most, then writes it. What cannot be written is kept, put together by key, model
 * and day so that it stays small, and tried again every second. Idle, it has no timer.
 */
export class UsageWriter implements UsageBook {
  readonly #options: UsageWriterOptions;
  readonly #now: () => number;
  readonly #tally = new UsageTally();
  #entries = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  /** Writes in a row that failed; of a few nobody is told. */
  #failures = 0;

  constructor(options: UsageWriterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  record(entry: UsageEntry): void {
    this.#tally.add(entry, this.#now());
    this.#entries += 1;
    if (this.#entries < BATCH || this.#failures > 0) {
      this.#arm();
      return;
    }
    // The writing begins a moment later, and must not be asked for by each that comes until then.
    this.#entries = 0;
    void this.flush();
  }

  /** Takes rows that another process has put together. */
  add(rows: readonly UsageRow[]): void {
    this.#tally.putBack(rows);
    this.#arm();
  }

  /** Writes what is there. Rejects never: what is not written is tried again. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#tally.empty) return;
    // Ended here and not within: a write that fails at once would be over before it is noted.
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  /** Writes what is there for the last time. */
  async close(): Promise<void> {
    const began = performance.now();
    await this.flush();
    while (!this.#tally.empty && performance.now() - began < LAST_TRIES) {
      await pause(SOON);
      await this.flush();
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(delay = DELAY): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, delay).unref();
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#entries = 0;
    const rows = this.#tally.take();
    try {
      await this.#options.write(rows);
      if (this.#failures >= TOLD)
        this.#say("info", "usage.written", "The usage of keys is written again; nothing was lost.");
      this.#failures = 0;
    } catch (error) {
      this.#tally.putBack(rows);
      this.#failures++;
      if (this.#failures === TOLD)
        this.#say(
          "warning",
          "usage.unwritten",
          `The usage of keys cannot be written: ${messageOf(error)}. It is kept and tried again.`,
        );
      this.#arm(this.#failures < TOLD ? SOON : DELAY);
    }
  }

  #say(severity: NewEvent["severity"], kind: string, message: string): void {
    this.#options.onEvent({ severity, kind, message });
  }
}
