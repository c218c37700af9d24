/** Thread that hashes a file while it is being written, as far as it is told that the bytes are there. */
import { openSync, readSync } from "node:fs";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { digestHash } from "./digest-hash.ts";
import type { HashOrder } from "./digest-hash.ts";

const PIECE = 1 << 20;

function serve({ path, size, algorithm }: HashOrder): void {
  const hash = digestHash(algorithm, size);
  const file = openSync(path, "r");
  const buffer = Buffer.alloc(PIECE);
  let at = 0;
  parentPort?.on("message", (upTo: number) => {
    while (at < upTo) {
      const read = readSync(file, buffer, 0, Math.min(PIECE, upTo - at), at);
      if (read === 0) throw new Error(`${path} became shorter while it was read`);
      hash.update(buffer.subarray(0, read));
      at += read;
    }
    if (at === size) parentPort?.postMessage(hash.digest("hex"), []);
  });
}

const order: HashOrder = workerData;
if (!isMainThread) serve(order);
