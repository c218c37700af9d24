import { createHash } from "node:crypto";

/** Bytes that can be had anywhere without the rest. */
export interface Content {
  readonly size: number;
  /** The bytes from `from` up to `to`, in pieces. */
  pieces(from: number, to: number): Generator<Buffer>;
}

export const bytesContent = (bytes: Buffer): Content => ({
  size: bytes.length,
  *pieces(from, to) {
    yield bytes.subarray(from, to);
  },
});

const PIECE = 1 << 20;
const STAMP = 16;

/** Content of any size that takes a megabyte of memory: the same noise in each megabyte, with its number before it. */
export function generatedContent(size: number, seed = 1): Content {
  const noise = Buffer.alloc(PIECE);
  let state = seed;
  for (let at = 0; at < PIECE; at += 4) {
    // xorshift32, Marsaglia 2003.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    noise.writeInt32LE(state | 0, at);
  }
  return {
    size,
    *pieces(from, to) {
      for (let at = from; at < to;) {
        const number = Math.floor(at / PIECE);
        const inside = at - number * PIECE;
        const stamp = Buffer.alloc(STAMP);
        stamp.writeDoubleLE(number * 7 + seed, 0);
        const piece = inside < STAMP ? stamp : noise;
        const end = Math.min(inside < STAMP ? STAMP : PIECE, inside + to - at);
        yield piece.subarray(inside, end);
        at += end - inside;
      }
    },
  };
}

export function sha256Of(content: Content): string {
  const hash = createHash("sha256");
  for (const piece of content.pieces(0, content.size)) hash.update(piece);
  return hash.digest("hex");
}

/** What git names a blob by: SHA-1 over `blob SIZE\0` and the content. */
export function gitNameOf(content: Content): string {
  const hash = createHash("sha1").update(`blob ${content.size}\0`);
  for (const piece of content.pieces(0, content.size)) hash.update(piece);
  return hash.digest("hex");
}
