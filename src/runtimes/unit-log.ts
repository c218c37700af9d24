import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { copyFile, open, rename, rm } from "node:fs/promises";
import { LineSplitter } from "./line-splitter.ts";
import type { LogLimits } from "./log-limits.ts";

const KEPT_LINES = 200;
const LINE_LIMIT = 4096;
const CHUNK = 2 ** 16;
/** Milliseconds between looks where the system tells of changes, for the case that it missed one, and where it cannot. */
const WATCHED_LOOK = 10_000;
const LOOK = 1000;
/** Bytes of the file's end that an adopting Omni reads. */
const TAIL = 2 ** 18;
/** Lines of Omni's own between those of engines. */
const MARK = "--- omni: ";

/** First line of a unit in its service's log. */
export const logHead = (unit: string, time: Date): string =>
  `${MARK}unit ${unit} started at ${time.toISOString()} ---\n`;

/**
 * Follows the file that an engine writes its output to. The engine itself writes, so that no pipe of a dead Omni blocks
 * or kills it; Omni reads behind, keeps the newest lines, and moves the file's content away when it grows too large.
 */
export class UnitLog {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #limits: LogLimits;
  readonly #splitter: LineSplitter;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  readonly #watcher: FSWatcher | undefined;
  readonly #timer: NodeJS.Timeout;
  #offset: number;
  #reading: Promise<void> | undefined;
  #again = false;
  /** Reading began somewhere in a line, whose rest is none. */
  #insideLine = false;

  private constructor(file: FileHandle, path: string, limits: LogLimits, offset: number) {
    this.#file = file;
    this.#path = path;
    this.#limits = limits;
    this.#offset = offset;
    this.#splitter = new LineSplitter(LINE_LIMIT, (line) => this.#take(line));
    this.#watcher = watchFile(path, () => void this.#look());
    this.#timer = setInterval(
      () => void this.#look(),
      this.#watcher === undefined ? LOOK : WATCHED_LOOK,
    ).unref();
  }

  /** What is written from now on. Throws when the file cannot be opened. */
  static async follow(path: string, limits: LogLimits): Promise<UnitLog> {
    const file = await open(path, "r+");
    return new UnitLog(file, path, limits, (await file.stat()).size);
  }

  /** The newest lines of the unit that was started last, then what is written from now on. Throws like `follow`. */
  static async resume(path: string, limits: LogLimits): Promise<UnitLog> {
    const file = await open(path, "r+");
    const { size } = await file.stat();
    const log = new UnitLog(file, path, limits, Math.max(0, size - TAIL));
    log.#insideLine = size > TAIL;
    await log.#look();
    return log;
  }

  lastLines(): readonly string[] {
    return [...this.#lines];
  }

  onLine(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads what is left and closes the file; to be called when nobody writes any more, or Omni leaves. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#watcher?.close();
    await this.#look();
    this.#splitter.end();
    this.#listeners.clear();
    await this.#file.close();
  }

  /** One reader at a time; whoever asks meanwhile is answered by one more round. */
  #look(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #read(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#readAll();
        if (this.#offset > this.#limits.fileBytes) await this.#rotate();
      } catch {
        // A disk that fails now may answer at the next look; the engine goes on either way.
      }
    }
  }

  async #readAll(): Promise<void> {
    const { size } = await this.#file.stat();
    // Somebody else emptied it.
    if (size < this.#offset) this.#offset = 0;
    this.#skip(size);
    while (await this.#readChunk()) {
      if (this.#offset > this.#limits.fileBytes) return;
    }
  }

  async #readChunk(): Promise<number> {
    const { bytesRead } = await this.#file.read(this.#buffer, 0, CHUNK, this.#offset);
    this.#offset += bytesRead;
    this.#splitter.write(this.#buffer.subarray(0, bytesRead));
    return bytesRead;
  }

  /** An engine that writes faster than lines can be read must not make Omni read for ever. */
  #skip(size: number): void {
    const behind = size - this.#offset;
    if (behind <= Math.max(this.#limits.fileBytes, TAIL)) return;
    const skipped = behind - TAIL;
    this.#splitter.end();
    this.#take(`omni: ${skipped} bytes of output were not read, the engine wrote faster than Omni reads`);
    this.#offset += skipped;
  }

  /**
   * Copies the content to `.1` and empties the file, which the engine goes on appending to. What it writes in the
   * moment between the last copy and the emptying is lost to the file, as with every rotation of this kind.
   */
  async #rotate(): Promise<void> {
    const newest = `${this.#path}.1`;
    for (let n = this.#limits.keep; n >= 2; n--) {
      await rename(`${this.#path}.${n - 1}`, `${this.#path}.${n}`).catch(() => {});
    }
    try {
      if (this.#limits.keep > 0) await this.#copy(newest);
    } catch {
      // No room, or the file was removed: the bound on disk use counts more than old output.
      await rm(newest, { force: true }).catch(() => {});
    }
    await this.#file.truncate(0);
    this.#offset = 0;
  }

  async #copy(to: string): Promise<void> {
    await copyFile(this.#path, to);
    const copy = await open(to, "r+");
    try {
      let { size } = await copy.stat();
      // A few rounds at most: a flood would never end.
      for (let round = 0; round < 8; round++) {
        const from = this.#offset;
        const count = await this.#readChunk();
        if (count === 0) return;
        if (this.#offset > size) await copy.write(this.#buffer, 0, count, from);
        size = Math.max(size, this.#offset);
      }
    } finally {
      await copy.close();
    }
  }

  #take(line: string): void {
    if (this.#insideLine) {
      this.#insideLine = false;
      return;
    }
    // Lines before belong to an earlier start of the service.
    if (line.startsWith(MARK)) {
      this.#lines.length = 0;
      return;
    }
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    for (const listener of this.#listeners) listener(line);
  }
}

function watchFile(path: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, changed);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
