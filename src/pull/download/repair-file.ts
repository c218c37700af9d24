import { BLOCK, runsOf } from "./block-map.ts";
import type { Span } from "./block-map.ts";
import type { FileDownload } from "./file-download.ts";
import { receive } from "./receive.ts";
import { writeAll } from "./write-all.ts";

/** `same-again`: a second copy is the same in every byte, so that the source itself is another file. */
export type RepairOutcome = "right" | "wrong" | "same-again";

/**
 * Finds what is wrong in a file whose checksum tells only that something is. Bytes are fetched a second time and compared
 * with those on disk, in the order of suspicion: what lies beside cuts first, and on from there as long as it differs;
 * then everything else, until the checksum fits.
 */
export async function repairFile(
  download: FileDownload,
  isRight: () => Promise<boolean>,
): Promise<RepairOutcome> {
  const { part, size, chunkBytes } = download;
  const { map } = part;
  const looked = new Set<number>();
  const changedBeside = await compareSuspects(download, looked);
  let changed = changedBeside > 0;
  if (changed && (await isRight())) return "right";
  const spans = runsOf(map, size, chunkBytes, (block) => !looked.has(block));
  for (let at = 0; at < spans.length; at += download.connections) {
    const batch = spans.slice(at, at + download.connections);
    const found = await Promise.all(batch.map((span) => compare(download, span)));
    if (found.every((blocks) => blocks.length === 0)) continue;
    changed = true;
    if (await isRight()) return "right";
  }
  return changed ? "wrong" : "same-again";
}

/** Blocks that differed among the suspect ones and beside them. */
async function compareSuspects(download: FileDownload, looked: Set<number>): Promise<number> {
  const { part, size, chunkBytes, connections } = download;
  const { map } = part;
  let changed = 0;
  let spans = runsOf(map, size, chunkBytes, (block) => map.isSuspect(block));
  while (spans.length > 0) {
    const beside = new Set<number>();
    for (const span of spans) for (const block of blocksOf(span)) looked.add(block);
    for (let at = 0; at < spans.length; at += connections) {
      const batch = spans.slice(at, at + connections);
      for (const blocks of await Promise.all(batch.map((span) => compare(download, span)))) {
        changed += blocks.length;
        // What is wrong up to its edge may go on behind it.
        for (const block of blocks) for (const near of [block - 1, block + 1]) beside.add(near);
      }
    }
    spans = runsOf(map, size, chunkBytes, (block) => beside.has(block) && !looked.has(block));
  }
  return changed;
}

function blocksOf({ from, to }: Span): number[] {
  const blocks: number[] = [];
  for (let block = Math.floor(from / BLOCK); block * BLOCK < to; block++) blocks.push(block);
  return blocks;
}

/** Fetches a span again and puts it in the place of what differs. Returns the blocks that did. */
async function compare(download: FileDownload, span: Span): Promise<readonly number[]> {
  const { part, places, bandwidth, meter, signal } = download;
  const again = Buffer.alloc(span.to - span.from);
  await places.use(() =>
    receive(
      download,
      { at: span.from, to: span.to },
      {
        take: async (bytes, offset) => {
          await bandwidth(bytes.length, signal);
          meter.compared(bytes.length);
          bytes.copy(again, offset - span.from);
        },
      },
    ),
  );
  const stored = Buffer.alloc(again.length);
  await part.file.read(stored, 0, stored.length, span.from);
  const different = blocksOf(span).filter((block) => {
    const [first, last] = [block * BLOCK - span.from, (block + 1) * BLOCK - span.from];
    return !stored.subarray(first, last).equals(again.subarray(first, last));
  });
  if (different.length > 0) {
    await writeAll(part, [again], span.from);
    await part.file.datasync();
  }
  return different;
}
