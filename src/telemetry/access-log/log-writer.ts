import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../core/index.ts";
import type { LogTarget } from "./log-target.ts";

/** Lines wait this long for others, milliseconds. */
const GATHER = 200;
/** Bytes at which lines are written at once. */
const BATCH = 64 * 1024;
/** Bytes that may wait for a slow disk; lines beyond are dropped and counted. */
const MOST_WAITING = 4 * 1024 * 1024;

export interface LogWriterOptions {
  readonly target: LogTarget;
  /** Told when lines were lost: how many, and why. At most once a batch. */
  readonly lost: (lines: number, why: string) => void;
}

/** Gathers lines and writes them in batches, one at a time. A line is an addition to a list; nothing waits for it. */
export class LogWriter {
  readonly #target: LogTarget;
  readonly #lost: LogWriterOptions["lost"];
  #lines: string[] = [];
  #waiting = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor({ target, lost }: LogWriterOptions) {
    this.#target = target;
    this.#lost = lost;
  }

  /** Takes a line that ends in a line feed. */
  write(line: string): void {
    if (this.#closed || this.#waiting + line.length > MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    if (this.#waiting >= BATCH) this.#flush();
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
      this.#dropped += this.#lines.length;
      this.#tellLost("the log could not be written before the end");
    }
    ended.abort();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#lines.length === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      this.#flush();
    });
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    const bytes = Buffer.from(lines.join(""));
    try {
      await this.#target.write(bytes);
      this.#tellLost("the log could not be written as fast as requests came");
    } catch (error) {
      this.#dropped += lines.length;
      this.#tellLost(`the log cannot be written: ${messageOf(error)}`);
    } finally {
      // What is being written still holds memory.
      this.#waiting = this.#lines.reduce((sum, line) => sum + line.length, 0);
    }
  }

  #tellLost(why: string): void {
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#lost(lines, why);
  }
}
