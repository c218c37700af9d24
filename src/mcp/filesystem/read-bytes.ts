import { openPinned, type Pinned } from "./beneath.ts";

/** Most bytes of one request to the disk, between which a call can be aborted. */
const PIECE = 1 << 20;

/**
 * Reads `length` bytes from `offset`, less at the end of the file. The size is not believed: files of the kernel say 0, and
 * one may grow. Throws the system's errors, and what aborts the signal.
 */
export async function readBytes(
  file: Pinned,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Buffer> {
  await using handle = await openPinned(file);
  const pieces: Buffer[] = [];
  let done = 0;
  while (done < length) {
    signal.throwIfAborted();
    const piece = Buffer.allocUnsafe(Math.min(PIECE, length - done));
    const { bytesRead } = await handle.read(piece, 0, piece.length, offset + done);
    if (bytesRead === 0) break;
    pieces.push(piece.subarray(0, bytesRead));
    done += bytesRead;
  }
  return Buffer.concat(pieces);
}

/** Where in a file to begin: from its end when negative. */
export const startOf = (offset: number, size: number): number =>
  offset < 0 ? Math.max(0, size + offset) : offset;
