import type { FileHandle } from "node:fs/promises";
import { open, rename } from "node:fs/promises";

export interface LogLimits {
  /** Bytes of one file before it is rotated. */
  readonly fileBytes: number;
  /** Files kept beside the current one: `.1` is the newest. */
  readonly keep: number;
  /** Bytes that may wait for the disk; lines beyond are counted and dropped. */
  readonly waitingBytes: number;
}

export const LOG_LIMITS: LogLimits = { fileBytes: 4 * 2 ** 20, keep: 3, waitingBytes: 2 ** 20 };

/**
 * A log file that rotates. It never makes its writer wait and never fails it: an engine must not stop
 * because a disk is slow or full, so lines are dropped then and their number is written once there is room.
 */
export class RotatingLog {
  readonly path: string;
  readonly #limits: LogLimits;
  #file: FileHandle | undefined;
  #size = 0;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #draining: Promise<void> | undefined;

  constructor(path: string, limits: LogLimits = LOG_LIMITS) {
    this.path = path;
    this.#limits = limits;
  }

  write(line: string): void {
    const text = `${new Date().toISOString()} ${line}\n`;
    if (this.#waitingBytes + text.length > this.#limits.waitingBytes) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    this.#draining ??= this.#drain();
  }

  async close(): Promise<void> {
    await this.#draining;
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    // Lines of one turn of the event loop go out in one write.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const batch = Buffer.from(this.#waiting.join("") + this.#droppedLine());
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        await this.#append(batch);
      } catch {
        this.#dropped++;
        await this.#file?.close().catch(() => {});
        this.#file = undefined;
      }
    }
    this.#draining = undefined;
  }

  #droppedLine(): string {
    if (this.#dropped === 0) return "";
    const line = `${new Date().toISOString()} omni: ${this.#dropped} lines were dropped, the disk was too slow or full\n`;
    this.#dropped = 0;
    return line;
  }

  async #append(batch: Buffer): Promise<void> {
    let file = this.#file ?? (await this.#open());
    if (this.#size > 0 && this.#size + batch.length > this.#limits.fileBytes) {
      await this.#rotate();
      file = await this.#open();
    }
    await file.write(batch);
    this.#size += batch.length;
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.path, "a", 0o600);
    this.#file = file;
    this.#size = (await file.stat()).size;
    return file;
  }

  async #rotate(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    for (let n = this.#limits.keep; n >= 1; n--) {
      const from = n === 1 ? this.path : `${this.path}.${n - 1}`;
      await rename(from, `${this.path}.${n}`).catch(() => {});
    }
  }
}
