import { join } from "node:path";

import { BatchStore } from "../../gateway/batches/batch-store.ts";
import { FILE_LIMITS } from "../../gateway/files/file-limits.ts";
import { FileStore } from "../../gateway/files/file-store.ts";
import { IMAGE_LIMITS } from "../../gateway/images/image-limits.ts";
import { KeptImages } from "../../gateway/images/kept-images.ts";
import { openResponses } from "../../store/index.ts";
import type { StoredResponses } from "../../store/index.ts";

/** What clients leave with a node. Every process of a node may open it, at the same time. */
export interface GatewayStores {
  readonly responses: StoredResponses;
  readonly files: FileStore;
  readonly batches: BatchStore;
  readonly images: KeptImages;
  close(): void;
}

/** Opens what a state folder holds of clients; the folder has to be a node's. */
export async function openGatewayStores(stateFolder: string): Promise<GatewayStores> {
  const [files, batches, images] = await Promise.all([
    FileStore.open(join(stateFolder, "files"), FILE_LIMITS),
    BatchStore.open(join(stateFolder, "batches")),
    KeptImages.open(join(stateFolder, "images"), IMAGE_LIMITS),
  ]);
  const responses = openResponses(stateFolder);
  return { responses, files, batches, images, close: () => responses.close() };
}
