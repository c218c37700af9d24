import type { LayerCache } from "../models/model-shape.ts";
import type { LayerKeep } from "./block-pool.ts";
import { cacheTokenBytes } from "./kv-bytes.ts";
import type { EngineSettings } from "./memory-model.ts";

/** One token of one layer in `fp8_ds_mla`: 512 fp8, 4 float scales, 64 bf16 of rope. */
const FP8_SPARSE_LATENT_BYTES = 656;
/** Indexer keys of DSA are fp8 with one float scale for 128 elements, whatever the KV type. */
const INDEXER_BYTES = 132 / 128;
const CONVOLUTION_BYTES = 2;
const RECURRENT_BYTES = 4;

/**
 * What vLLM and SGLang keep of one layer on one rank: heads divided by tensor parallel, an MLA latent whole on every rank
 * (656 bytes a token with DSA in fp8), a recurrent state divided, its convolution in 16 and its recurrence in 32 bit.
 */
export function torchKeep(cache: LayerCache, settings: EngineSettings): LayerKeep {
  const { kvKeyType, kvValueType, tensorParallel } = settings;
  if (cache.kind === "state") {
    const bytes = cache.convolution * CONVOLUTION_BYTES + cache.recurrent * RECURRENT_BYTES;
    return { kind: "state", bytes: Math.ceil(bytes / tensorParallel) };
  }
  if (cache.kind === "latent") {
    const sparse = cache.indexer > 0 && kvKeyType === "fp8";
    const latent = sparse
      ? FP8_SPARSE_LATENT_BYTES
      : cacheTokenBytes({ ...cache, indexer: 0 }, kvKeyType, kvValueType);
    return { kind: "full", tokenBytes: latent + cache.indexer * INDEXER_BYTES };
  }
  const tokenBytes = cacheTokenBytes(cache, kvKeyType, kvValueType, tensorParallel);
  return cache.kind === "full"
    ? { kind: "full", tokenBytes }
    : { kind: "window", tokenBytes, window: cache.window };
}
