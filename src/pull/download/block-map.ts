import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { z } from "zod";

/** Bytes that one bit stands for: small enough that looking twice at what lies beside a cut costs little. */
export const BLOCK = 128 << 10;
const HEADER_BYTES = 4096;
const HEADER = z.object({ omni: z.literal(1), size: z.int(), block: z.literal(BLOCK), digest: z.string() });

/** What of an unfinished file is on disk, and what of it deserves a second look. */
export interface BlockMap {
  readonly blocks: number;
  has(block: number): boolean;
  setHas(block: number, value: boolean): void;
  isSuspect(block: number): boolean;
  setSuspect(block: number, value: boolean): void;
  /** Writes it down durably. Bytes that it says are there must be durable before. */
  save(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the map of an unfinished file of `size` bytes and makes an empty one where there is none, or one of another file.
 * It is written in place: a torn write leaves bits of before or after, and each of them is true by itself.
 */
export async function openBlockMap(path: string, size: number, digest: string): Promise<BlockMap> {
  const blocks = Math.ceil(size / BLOCK);
  const bytes = Math.ceil(blocks / 8);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  const bits = Buffer.alloc(bytes * 2);
  const known = await readHeader(file);
  if (known?.size === size && known.digest === digest) await file.read(bits, 0, bits.length, HEADER_BYTES);
  else await writeEmpty(file, JSON.stringify({ omni: 1, size, block: BLOCK, digest }), bits);
  const [has, suspect] = [bits.subarray(0, bytes), bits.subarray(bytes)];
  return {
    blocks,
    has: (block) => readBit(has, block),
    setHas: (block, value) => writeBit(has, block, value),
    isSuspect: (block) => readBit(suspect, block),
    setSuspect: (block, value) => writeBit(suspect, block, value),
    save: async () => {
      await file.write(bits, 0, bits.length, HEADER_BYTES);
      await file.datasync();
    },
    close: () => file.close(),
  };
}

async function readHeader(file: FileHandle): Promise<z.infer<typeof HEADER> | undefined> {
  const text = Buffer.alloc(HEADER_BYTES);
  const { bytesRead } = await file.read(text, 0, HEADER_BYTES, 0);
  try {
    return HEADER.parse(JSON.parse(text.toString("utf8", 0, bytesRead).trimEnd()));
  } catch {
    // Empty, torn by a loss of power, or none of ours: nothing of it can be believed.
    return undefined;
  }
}

async function writeEmpty(file: FileHandle, header: string, bits: Buffer): Promise<void> {
  await file.truncate(0);
  // The bits are durable before the header that makes them count.
  await file.write(bits, 0, bits.length, HEADER_BYTES);
  await file.datasync();
  await file.write(Buffer.from(header.padEnd(HEADER_BYTES)), 0, HEADER_BYTES, 0);
  await file.datasync();
}

const readBit = (bits: Buffer, at: number): boolean => ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;

function writeBit(bits: Buffer, at: number, value: boolean): void {
  const byte = bits[at >> 3] ?? 0;
  const mask = 1 << (at & 7);
  bits[at >> 3] = value ? byte | mask : byte & ~mask;
}

/** Runs of blocks that fit, each at most `most` bytes, as offsets of the file. */
export function runsOf(
  { blocks }: BlockMap,
  size: number,
  most: number,
  fits: (block: number) => boolean,
): readonly Span[] {
  const runs: { from: number; to: number }[] = [];
  for (let block = 0; block < blocks; block++) {
    if (!fits(block)) continue;
    const from = block * BLOCK;
    const to = Math.min(from + BLOCK, size);
    const last = runs.at(-1);
    // Requests begin at the same places in every run, so that mirrors can cache them.
    if (last?.to === from && from % most !== 0) last.to = to;
    else runs.push({ from, to });
  }
  return runs;
}

/** Bytes of a file from `from` up to `to`, which is not one of them. */
export interface Span {
  readonly from: number;
  readonly to: number;
}
