import { GIB } from "../core/index.ts";
import type { LayerCache } from "../models/model-shape.ts";
import { blockPool, type LayerKeep } from "./block-pool.ts";
import { fitPaged } from "./fit-paged.ts";
import { cacheTokenBytes } from "./kv-bytes.ts";
import type { DeviceRoom, EngineSettings, MemoryModel } from "./memory-model.ts";
import { requirePagedShape, type PagedEngine } from "./paged-engine.ts";
import { predictPaged } from "./predict-paged.ts";
import { partBytes } from "./terms.ts";
import { CUDA_CONTEXT, vllmProfile } from "./vllm-profile.ts";

/** Cards from this size on get larger defaults, except the A100 (vLLM `arg_utils.py`). */
const LARGE_CARD = 70 * GIB;
/** One token of one layer in `fp8_ds_mla`: 512 fp8, 4 float scales, 64 bf16 of rope. */
const FP8_SPARSE_LATENT_BYTES = 656;
/** Indexer keys of DSA are fp8 with one float scale for 128 elements, whatever the KV type. */
const INDEXER_BYTES = 132 / 128;
/** Python, libraries and pinned buffers in main memory, for the server and for each rank. */
const HOST_SERVER = 2 * GIB;
const HOST_RANK = 2 * GIB;

/**
 * How vLLM divides a card (facts: gpu_worker.py, kv_cache_utils.py): it claims `total × gpu_memory_utilization`, takes off
 * weights and what its profile run found, and makes the rest KV cache in blocks of 16 tokens. The CUDA context is there
 * before it looks, so it comes on top of the claim.
 */
export const VLLM: PagedEngine = {
  title: "vLLM",
  defaultFraction: 0.92,
  blockTokens: 16,
  defaults: (card) =>
    card.total >= LARGE_CARD && card.computeCapability !== "8.0"
      ? { batchTokens: 8192, sequences: 1024 }
      : { batchTokens: 2048, sequences: 256 },
  parts: (work) =>
    vllmProfile(
      work,
      work.wishes.parallel ?? Math.max(work.settings.parallel, VLLM.defaults(work.card).sequences),
    ),
  kvRoom: ({ card, settings }, parts) =>
    card.total * (settings.memoryFraction ?? VLLM.defaultFraction) + CUDA_CONTEXT - partBytes(parts),
  fractionWithin: (card) => Math.min(VLLM.defaultFraction, (card.free - CUDA_CONTEXT) / card.total),
  claimed: (card, fraction) => card.total * fraction + CUDA_CONTEXT,
  keep: vllmKeep,
  pool: (keeps, settings) => blockPool(keeps, VLLM.blockTokens, settings.batchTokens),
  host: (_settings, ranks) => [
    { term: "overhead", name: "server", bytes: HOST_SERVER },
    { term: "overhead", name: "workers", bytes: HOST_RANK * ranks },
  ],
};

/** vLLM: weights and KV cache from its own arithmetic, the profile run modelled from the model's shape. */
export const vllm: MemoryModel = {
  predict: (shape, settings, devices: readonly DeviceRoom[], wishes) =>
    predictPaged(VLLM, requirePagedShape(VLLM, shape), settings, devices, wishes).prediction,
  fit: (request) => fitPaged(VLLM, request),
};

function vllmKeep(cache: LayerCache, settings: EngineSettings): LayerKeep {
  const { kvKeyType, kvValueType, tensorParallel } = settings;
  if (cache.kind === "state")
    return { kind: "state", bytes: (cache.convolution * 2 + cache.recurrent * 4) / tensorParallel };
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
