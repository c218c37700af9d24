import type { BigIntStats } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { write } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Where lines end up. Writing happens on a thread of its own, so that a slow disk or a full pipe stops nobody. */
export interface LogTarget {
  /** Writes all of it. Rejects when it cannot; then it may have been written in part. */
  write(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

const STDERR = 2;
/** Pause before a pipe that is full and does not wait is tried again, milliseconds. */
const FULL_PIPE_PAUSE = 20;

/** Standard error. `process.stderr` itself would wait for a full pipe and stop the whole gateway meanwhile. */
export const stderrTarget: LogTarget = {
  async write(bytes) {
    let left = bytes;
    while (left.length > 0) {
      const written = await writeSome(left);
      if (written === 0) await pause(FULL_PIPE_PAUSE, undefined, { ref: false });
      left = left.subarray(written);
    }
  },
  close: () => Promise.resolve(),
};

/** How many bytes standard error took; none when it is a pipe that is full. */
const writeSome = (bytes: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    write(STDERR, bytes, 0, bytes.length, null, (error, written) => {
      if (error === null) resolve(written);
      else if (error.code === "EAGAIN") resolve(0);
      else reject(error);
    });
  });

export interface RotationOptions {
  readonly file: string;
  /** Bytes from which a file is rotated. */
  readonly maxSize: number;
  /** Rotated files that are kept beside it: `omni.log.1` is the newest. */
  readonly keep: number;
  /** False in worker processes, which write into the same file: one process rotates, the others follow. */
  readonly rotates: boolean;
}

/**
 * A file that is rotated at its size and opened again when somebody else moved it away (logrotate, another process of the
 * gateway). Lines of several processes do not mix: the file is opened for appending and every batch is one write.
 */
export class RotatedFile implements LogTarget {
  readonly #options: RotationOptions;
  #handle: FileHandle | undefined;
  #identity: bigint | undefined;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  async write(bytes: Buffer): Promise<void> {
    const handle = await this.#current(bytes.length);
    let left = bytes;
    while (left.length > 0) left = left.subarray((await handle.write(left)).bytesWritten);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** The file of that name as it is now, after a rotation where `more` bytes would make it too large. */
  async #current(more: number): Promise<FileHandle> {
    const { file, maxSize, rotates } = this.#options;
    let there = await statOf(file);
    if (
      rotates &&
      there !== undefined &&
      there.size > 0n &&
      Number(there.size) + more > maxSize &&
      there.isFile()
    ) {
      await this.#rotate();
      there = undefined;
    }
    if (this.#handle !== undefined && there !== undefined && there.ino === this.#identity)
      return this.#handle;
    await this.close();
    await mkdir(dirname(file), { recursive: true });
    // Who may read the log is the owner's decision; new files are for him alone.
    const handle = await open(file, "a", 0o600);
    this.#handle = handle;
    this.#identity = (await handle.stat({ bigint: true })).ino;
    return handle;
  }

  async #rotate(): Promise<void> {
    const { file, keep } = this.#options;
    await this.close();
    if (keep === 0) {
      await rm(file, { force: true });
      return;
    }
    for (let number = keep; number > 0; number--) {
      const from = number === 1 ? file : `${file}.${number - 1}`;
      await rename(from, `${file}.${number}`).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
  }
}

const statOf = async (file: string): Promise<BigIntStats | undefined> => {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";
