import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import type { HubDigest } from "../models/index.ts";

/** The checksum of a file that is read as far as it is there. */
export interface GrowingDigest {
  /** The bytes before this offset are final. */
  reached(offset: number): void;
  /** Hexadecimal, once the end was reached. Rejects where the file cannot be read. */
  readonly result: Promise<string>;
  /** Gives it up. */
  end(): Promise<void>;
}

/** Hashes a file of `size` bytes in a thread of its own, which keeps up with a download. */
export function growingDigest(path: string, size: number, algorithm: HubDigest["algorithm"]): GrowingDigest {
  const worker = new Worker(new URL("hash-thread.ts", import.meta.url), {
    workerData: { path, size, algorithm },
  });
  const result = once(worker, "message").then(([hex]) => z.string().parse(hex));
  // Whoever gives it up does not ask for the result.
  result.catch(() => {});
  if (size === 0) worker.postMessage(0, []);
  return {
    reached: (offset) => worker.postMessage(offset, []),
    result,
    end: async () => {
      await worker.terminate();
    },
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
