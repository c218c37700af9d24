import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { siblingProgram } from "../core/index.ts";
import type { HubDigest } from "../models/index.ts";
import { digestHash } from "./digest-hash.ts";

/** The checksum of a file that is read as far as it is there. */
export interface GrowingDigest {
  /** The bytes before this offset are final. */
  reached(offset: number): void;
  /** Hexadecimal, once the end was reached. Rejects where the file cannot be read. */
  readonly result: Promise<string>;
  /** Gives it up. */
  end(): Promise<void>;
}

/** A thread is not worth its start for less. */
const WORTH_A_THREAD = 16 << 20;

/** Hashes a file of `size` bytes in a thread of its own, which keeps up with a download. */
export function growingDigest(path: string, size: number, algorithm: HubDigest["algorithm"]): GrowingDigest {
  if (size < WORTH_A_THREAD) return smallDigest(path, size, algorithm);
  const worker = new Worker(siblingProgram(import.meta.url, "./hash-thread"), {
    workerData: { path, size, algorithm },
  });
  const result = once(worker, "message").then(([hex]) => String(hex));
  // Whoever gives it up does not ask for the result.
  result.catch(() => {});
  return {
    reached: (offset) => worker.postMessage(offset, []),
    result,
    end: async () => {
      await worker.terminate();
    },
  };
}

function smallDigest(path: string, size: number, algorithm: HubDigest["algorithm"]): GrowingDigest {
  const { promise: whole, resolve } = Promise.withResolvers<void>();
  const result = whole.then(async () =>
    digestHash(algorithm, size)
      .update(await readFile(path))
      .digest("hex"),
  );
  result.catch(() => {});
  if (size === 0) resolve();
  return {
    reached: (offset) => {
      if (offset === size) resolve();
    },
    result,
    end: () => Promise.resolve(),
  };
}

/** The checksum of a whole file, hexadecimal. */
export async function fileDigest(
  path: string,
  size: number,
  algorithm: HubDigest["algorithm"],
): Promise<string> {
  const digest = growingDigest(path, size, algorithm);
  try {
    digest.reached(size);
    return await digest.result;
  } finally {
    await digest.end();
  }
}
