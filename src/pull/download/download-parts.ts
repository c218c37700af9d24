import { hasDigest, statedDigest } from "./stated-digest.ts";
import { BLOCK, runsOf } from "./block-map.ts";
import { chunkQueue } from "./chunk-queue.ts";
import type { Assignment, Chunk, ChunkQueue } from "./chunk-queue.ts";
import { durableBlocks } from "./durable-blocks.ts";
import type { DurableBlocks } from "./durable-blocks.ts";
import type { FileDownload } from "./file-download.ts";
import { markSuspect } from "./mark-suspect.ts";
import { receive } from "./receive.ts";
import type { Sink } from "./receive.ts";
import { writeAll } from "./write-all.ts";
import type { GrowingDigest } from "../file-digest.ts";

/** Bytes that are collected before they are written. */
const WRITE_AT = 1 << 20;
/** A checksum that is wrong so often is none of these bytes. */
const MOST_WRONG = 3;

interface PartsState {
  readonly download: FileDownload;
  readonly queue: ChunkQueue;
  readonly durable: DurableBlocks;
  readonly settled: Settled;
  /** Checksums of this server are of something else than what it sends. */
  distrust: boolean;
}

/** Everything that is missing of a file, over all connections. Throws what `receive` and the disk throw. */
export async function downloadParts(download: FileDownload, digest: GrowingDigest): Promise<void> {
  const { part, chunkBytes, connections } = download;
  const spans = runsOf(part.map, part.size, chunkBytes, (block) => !part.map.has(block));
  download.meter.had(part.size - spans.reduce((sum, { from, to }) => sum + to - from, 0));
  const durable = durableBlocks(part, connections * chunkBytes);
  const state: PartsState = {
    download,
    queue: chunkQueue(spans),
    durable,
    settled: settledPrefix(download, digest),
    distrust: false,
  };
  const stop = new AbortController();
  const signal = AbortSignal.any([download.signal, stop.signal]);
  const serve = async (): Promise<void> => {
    try {
      for (;;) {
        const assignment = state.queue.next();
        if (assignment === undefined) return;
        await download.places.use(() => bring(state, assignment, signal));
        if (assignment.chunk.left === 0) await finishChunk(state, assignment.chunk);
      }
    } catch (thrown) {
      stop.abort(thrown);
      throw thrown;
    }
  };
  const workers = Array.from({ length: Math.min(connections, spans.length * 2) }, serve);
  const ended = await Promise.allSettled(workers);
  // What has arrived is kept, whatever went wrong; and why it did is told, not that writing it down failed as well.
  const flushed = await durable.flush().catch((thrown: unknown) => ({ thrown }));
  if (stop.signal.aborted) throw stop.signal.reason;
  if (flushed !== undefined) throw flushed.thrown;
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function bring(state: PartsState, assignment: Assignment, signal: AbortSignal): Promise<void> {
  const { download, queue } = state;
  const sink = partSink(state, assignment, signal);
  try {
    await receive({ ...download, signal }, assignment, sink);
  } finally {
    queue.done(assignment);
    await sink.flush();
  }
}

/** Collects what comes and writes it where it belongs. */
function partSink(
  { download, durable, settled, distrust }: PartsState,
  { chunk }: Assignment,
  signal: AbortSignal,
): Sink & { flush(): Promise<void> } {
  const { part, bandwidth, meter } = download;
  let held: Buffer[] = [];
  let bytes = 0;
  let start = 0;
  const flush = async (): Promise<void> => {
    if (bytes === 0) return;
    const [buffers, from, length] = [held, start, bytes];
    held = [];
    bytes = 0;
    await writeAll(part, buffers, from);
    durable.wrote(length);
    chunk.left -= length;
    settled.wrote(from, from + length, durable);
    await durable.room();
  };
  return {
    answered: (answer, from, to) => {
      const stated = from === chunk.from && to === chunk.to && !distrust ? statedDigest(answer) : undefined;
      if (stated === undefined) return;
      chunk.stated = stated;
      // Until it is verified; should this run be cut off before, the next one knows which bytes nobody looked at.
      for (let block = Math.floor(from / BLOCK); block * BLOCK < to; block++)
        part.map.setSuspect(block, true);
    },
    take: async (received, offset) => {
      await bandwidth(received.length, signal);
      meter.arrived(received.length);
      if (bytes === 0) start = offset;
      held.push(received);
      bytes += received.length;
      if (bytes >= WRITE_AT) await flush();
    },
    broke: (offset) => {
      if (chunk.stated === undefined) markSuspect(part, offset);
    },
    flush,
  };
}

/** Looks at a chunk as it lies on the disk, and has it come again where it is not what the server said. */
async function finishChunk(state: PartsState, chunk: Chunk): Promise<void> {
  const { download, settled, queue } = state;
  const { part, meter } = download;
  const { stated, from, to } = chunk;
  chunk.left = -1;
  if (stated !== undefined && !state.distrust) {
    const bytes = Buffer.alloc(to - from);
    await part.file.read(bytes, 0, bytes.length, from);
    if (await hasDigest(bytes, stated)) {
      for (let block = Math.floor(from / BLOCK); block * BLOCK < to; block++)
        part.map.setSuspect(block, false);
    } else if (++chunk.wrong < MOST_WRONG) {
      meter.rejected(to - from);
      queue.again(chunk);
      return;
    } else state.distrust = true;
  }
  settled.verified(from, to);
}

/** How far the file is final from its beginning, which is what can be hashed already. */
interface Settled {
  wrote(from: number, to: number, durable: DurableBlocks): void;
  verified(from: number, to: number): void;
}

function settledPrefix({ part }: FileDownload, digest: GrowingDigest): Settled {
  const { map, size } = part;
  const final = new Uint8Array(map.blocks);
  for (let block = 0; block < map.blocks; block++) final[block] = map.has(block) ? 1 : 0;
  const filled = new Map<number, number>();
  let prefix = 0;
  const advance = (): void => {
    const before = prefix;
    while (prefix < map.blocks && final[prefix] === 1) prefix++;
    if (prefix > before) digest.reached(Math.min(prefix * BLOCK, size));
  };
  advance();
  return {
    wrote: (from, to, durable) => {
      for (let block = Math.floor(from / BLOCK); block * BLOCK < to; block++) {
        const [first, last] = [block * BLOCK, Math.min((block + 1) * BLOCK, size)];
        const now = (filled.get(block) ?? 0) + Math.min(to, last) - Math.max(from, first);
        if (now < last - first) filled.set(block, now);
        else {
          filled.delete(block);
          durable.whole(block, last - first);
        }
      }
    },
    verified: (from, to) => {
      final.fill(1, Math.floor(from / BLOCK), Math.ceil(to / BLOCK));
      advance();
    },
  };
}
