import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../core/index.ts";
import { LineSheet } from "./line-sheet.ts";
import type { LogTarget } from "./log-target.ts";

/** Lines wait this long for others, milliseconds, beside what their requests have waited already. */
const GATHER = 100;
/** Bytes at which lines are written at once. */
const BATCH = 64 * 1024;
/** Bytes that may wait for a slow disk; lines beyond are dropped and counted. */
const MOST_WAITING = 4 * 1024 * 1024;

export interface LogWriterOptions {
  readonly target: LogTarget;
  /** Told when lines were lost: how many, and why. At most once a batch. */
  readonly lost: (lines: number, why: string) => void;
}

/** Gathers lines and writes them in batches, one at a time. A line is put where it lies until then; nothing waits for it. */
export class LogWriter {
  readonly #target: LogTarget;
  readonly #lost: LogWriterOptions["lost"];
  readonly #sheet = new LineSheet();
  /** Lines on the sheet. */
  #lines = 0;
  /** Bytes that are being written. */
  #underWay = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor({ target, lost }: LogWriterOptions) {
    this.#target = target;
    this.#lost = lost;
  }

  /** Where a line is put that ends in a line feed; `undefined` when there is no room for it. `end` follows. */
  begin(): LineSheet | undefined {
    if (!this.#closed && this.#sheet.length + this.#underWay < MOST_WAITING) return this.#sheet;
    this.#dropped++;
    return undefined;
  }

  /** The line is whole. */
  end(): void {
    this.#lines++;
    if (this.#sheet.length >= BATCH) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), GATHER).unref();
  }

  /** Writes what waits, for at most `time` milliseconds; what is left then is lost and counted. */
  async close(time: number): Promise<void> {
    this.#closed = true;
    this.#flush();
    const done = (async () => {
      while (this.#writing !== undefined) await this.#writing;
      await this.#target.close();
      return true;
    })();
    const ended = new AbortController();
    const late = pause(time, false, { signal: ended.signal }).catch(() => false);
    if (!(await Promise.race([done, late]))) {
      this.#dropped += this.#lines;
      this.#tellLost("the log could not be written before the end");
    }
    ended.abort();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#lines === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      this.#flush();
    });
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    const bytes = this.#sheet.take();
    this.#lines = 0;
    this.#underWay = bytes.length;
    try {
      await this.#target.write(bytes);
      this.#tellLost("the log could not be written as fast as requests came");
    } catch (error) {
      this.#dropped += lines;
      this.#tellLost(`the log cannot be written: ${messageOf(error)}`);
    } finally {
      // What is being written still holds memory.
      this.#underWay = 0;
      this.#sheet.reuse(bytes);
    }
  }

  #tellLost(why: string): void {
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#lost(lines, why);
  }
}
