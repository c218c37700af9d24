import { readShards } from "./gguf/read-shards.ts";
import { joinShards } from "./gguf/shards.ts";
import { outlineModel } from "./model-outline.ts";
import type { ModelOutline } from "./model-outline.ts";

/**
 * Reads the outline of the GGUF model at `path`; of a split model every shard is checked and counted, whichever one
 * was named. Throws `OmniError` with a `model.*` code for the first shard that is missing, cut or malformed.
 */
export async function readModel(path: string): Promise<ModelOutline> {
  const headers = await readShards(path);
  const { first, tensors } = joinShards(headers);
  const outline = outlineModel({ ...first, tensors });
  return {
    ...outline,
    fileBytes: headers.reduce((sum, header) => sum + header.fileBytes, 0),
    weightBytes: headers.reduce((sum, header) => sum + header.tensorBytes, 0),
  };
}
