import { formatBytes, GIB } from "../core/index.ts";
import { blockPool } from "./block-pool.ts";
import { CUDA_CONTEXT } from "./cuda-overhead.ts";
import type { MemoryModel } from "./memory-model.ts";
import type { PagedEngine } from "./paged-engine.ts";
import { pagedModel } from "./paged-model.ts";
import { partBytes } from "./terms.ts";
import { torchKeep } from "./torch-keep.ts";
import { vllmProfile } from "./vllm-profile.ts";

/** Cards from this size on get larger defaults, except the A100 (vLLM `arg_utils.py`). */
const LARGE_CARD = 70 * GIB;
/** Python, libraries and pinned buffers in main memory, for the server and for each rank. */
const HOST_SERVER = 2 * GIB;
const HOST_RANK = 2 * GIB;

/** Share of a card when nobody says; older releases took 0.90, which the caller wishes. */
const DEFAULT_FRACTION = 0.92;

/**
 * How vLLM divides a card (gpu_worker.py, kv_cache_utils.py): it claims `total × gpu_memory_utilization`, takes off
 * weights and what its profile run found, and makes the rest KV cache in blocks of 16 tokens. The CUDA context is there
 * before it looks, so it comes on top of the claim, and the rest of the card must be free at that time.
 */
export const VLLM: PagedEngine = {
  title: "vLLM",
  blockTokens: 16,
  defaults: (card) =>
    card.total >= LARGE_CARD && card.computeCapability !== "8.0"
      ? { batchTokens: 8192, sequences: 1024 }
      : { batchTokens: 2048, sequences: 256 },
  parts: vllmProfile,
  kvRoom: ({ card, settings }, parts) =>
    card.total * (settings.memoryFraction ?? DEFAULT_FRACTION) + CUDA_CONTEXT - partBytes(parts),
  fractionWithin: (card) => Math.min(DEFAULT_FRACTION, (card.free - CUDA_CONTEXT) / card.total),
  claimed: (card, fraction) => card.total * fraction + CUDA_CONTEXT,
  share: (card, fraction) =>
    `${fraction} of ${formatBytes(card.total)} and ${formatBytes(CUDA_CONTEXT)} of CUDA context`,
  keep: torchKeep,
  pool: (keeps, settings) => blockPool(keeps, VLLM.blockTokens, settings.batchTokens),
  host: (_settings, ranks) => [
    { term: "overhead", name: "server", bytes: HOST_SERVER },
    { term: "overhead", name: "workers", bytes: HOST_RANK * ranks },
  ],
};

/** vLLM: weights and KV cache from its own arithmetic, the profile run modelled from the model's shape. */
export const vllm: MemoryModel = pagedModel(VLLM);
