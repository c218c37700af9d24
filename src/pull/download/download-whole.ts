import { BLOCK } from "./block-map.ts";
import { durableBlocks } from "./durable-blocks.ts";
import type { FileDownload } from "./file-download.ts";
import { receive } from "./receive.ts";
import { writeAll } from "./write-all.ts";
import type { GrowingDigest } from "../file-digest.ts";

/** A file of a server that knows no ranges: one connection, from the beginning whenever it breaks off. */
export async function downloadWhole(download: FileDownload, digest: GrowingDigest): Promise<void> {
  const { part, size, places, bandwidth, meter, signal, connections, chunkBytes } = download;
  const durable = durableBlocks(part, connections * chunkBytes);
  let attempt = 0;
  await places.use(() =>
    receive(
      { ...download, whole: true },
      { at: 0, to: size },
      {
        take: async (bytes, offset) => {
          await bandwidth(bytes.length, signal);
          meter.arrived(bytes.length);
          await writeAll(part, [bytes], offset);
          attempt = offset + bytes.length;
        },
        broke: (offset) => meter.rejected(offset),
      },
    ),
  );
  // Half a file is of no use to the next run: only the whole is written down.
  for (let block = 0; block * BLOCK < attempt; block++) durable.whole(block, 0);
  await durable.flush();
  digest.reached(size);
}
