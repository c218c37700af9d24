import { readGgufHeader } from "../gguf-header.ts";
import type { GgufHeader } from "../gguf-header.ts";
import { checkShardCount, ShardIntake, shardPaths } from "./shards.ts";

/**
 * The headers of all parts of the GGUF model at `path`, whichever part was named. Throws `OmniError` with a `model.*` code
 * for the first part that is missing, cut or malformed, and when the parts disagree on how many they are.
 */
export async function readShards(path: string): Promise<GgufHeader[]> {
  const paths = shardPaths(path);
  const headers: GgufHeader[] = [];
  const intake = new ShardIntake();
  for (const [index, shard] of paths.entries()) {
    const header = await readGgufHeader(shard);
    checkShardCount(header, paths.length);
    headers.push(intake.take(header, index));
  }
  return headers;
}
