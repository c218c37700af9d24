/** Thread that hashes a file while it is being written, as far as it is told that the bytes are there. */
import { createHash } from "node:crypto";
import { openSync, readSync } from "node:fs";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { z } from "zod";

const ORDER = z.object({ path: z.string(), size: z.int(), algorithm: z.enum(["sha256", "git-sha1"]) });
const PIECE = 1 << 20;

function serve(): void {
  const { path, size, algorithm } = ORDER.parse(workerData);
  const hash = createHash(algorithm === "sha256" ? "sha256" : "sha1");
  // What git names a blob by.
  if (algorithm === "git-sha1") hash.update(`blob ${size}\0`);
  const file = openSync(path, "r");
  const buffer = Buffer.alloc(Math.min(PIECE, Math.max(size, 1)));
  let at = 0;
  const advance = (upTo: number): void => {
    while (at < upTo) {
      const read = readSync(file, buffer, 0, Math.min(buffer.length, upTo - at), at);
      if (read === 0) throw new Error(`${path} became shorter while it was read`);
      hash.update(buffer.subarray(0, read));
      at += read;
    }
    if (at === size) parentPort?.postMessage(hash.digest("hex"), []);
  };
  parentPort?.on("message", (upTo: unknown) => {
    advance(z.int().parse(upTo));
  });
}

if (!isMainThread) serve();
