import { OmniError } from "../core/index.ts";
import { readGgufHeader } from "./gguf-header.ts";
import type { GgufHeader } from "./gguf-header.ts";
import { checkShardCount, shardPaths } from "./gguf/shards.ts";
import { outlineModel } from "./model-outline.ts";
import type { ModelOutline } from "./model-outline.ts";

/**
 * Reads the outline of the GGUF model at `path`; of a split model every shard is checked and counted, whichever one
 * was named. Throws `OmniError` with a `model.*` code for the first shard that is missing, cut or malformed.
 */
export async function readModel(path: string): Promise<ModelOutline> {
  const paths = shardPaths(path);
  const headers: GgufHeader[] = [];
  for (const shard of paths) {
    const header = await readGgufHeader(shard);
    checkShardCount(header, paths.length);
    headers.push(header);
  }
  const [first] = headers;
  if (first === undefined) throw new OmniError("model.not-found", `${path} names no file.`);
  const outline = outlineModel(first);
  return {
    ...outline,
    fileBytes: headers.reduce((sum, header) => sum + header.fileBytes, 0),
    weightBytes: headers.reduce((sum, header) => sum + header.tensorBytes, 0),
  };
}
