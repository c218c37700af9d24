import type { LayerCache } from "../models/model-shape.ts";
import type { KvType } from "./memory-model.ts";

/**
 * Bytes of one element by type of the KV cache; block types count their scales (ggml: q8_0 is 34 bytes for 32 elements).
 * Scales that vLLM keeps once a head and layer (fp8) are too few to count; nvfp4 carries one fp8 scale for 16 elements.
 */
const ELEMENT_BYTES: Readonly<Record<KvType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
  iq4_nl: 18 / 32,
  fp8: 1,
  int8: 1,
  nvfp4: 9 / 16,
};

/** Bytes of one element of a KV cache of that type. */
export const kvElementBytes = (type: KvType): number => ELEMENT_BYTES[type];

/**
 * Bytes that one token keeps in one cache of one layer on one of `tensorParallel` ranks; 0 for a state, which does not
 * grow by tokens. Heads are divided and, when there are fewer than ranks, repeated; a latent is repeated on every rank
 * (vLLM: `kv_heads_per_rank = max(1, kv_heads / TP)`).
 */
export function cacheTokenBytes(cache: LayerCache, key: KvType, value: KvType, tensorParallel = 1): number {
  if (cache.kind === "state") return 0;
  if (cache.kind === "latent") return (cache.rank + cache.rope + cache.indexer) * kvElementBytes(key);
  const heads = headsPerRank(cache.kvHeads, tensorParallel);
  return heads * (cache.keyLength * kvElementBytes(key) + cache.valueLength * kvElementBytes(value));
}

/** Key and value heads that one of `tensorParallel` ranks holds: a share, and at least one. */
const headsPerRank = (kvHeads: number, tensorParallel: number): number =>
  kvHeads === 0 ? 0 : Math.max(1, Math.ceil(kvHeads / tensorParallel));
