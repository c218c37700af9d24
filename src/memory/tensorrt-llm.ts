import { formatBytes, GIB, MIB } from "../core/index.ts";
import { activationBytes } from "./activations.ts";
import { collectiveBytes, CUDA_CONTEXT } from "./cuda-overhead.ts";
import { blockPool } from "./block-pool.ts";
import type { MemoryModel, MemoryPart } from "./memory-model.ts";
import type { PagedEngine, RankWork } from "./paged-engine.ts";
import { pagedModel } from "./paged-model.ts";
import { partBytes } from "./terms.ts";
import { torchKeep } from "./torch-keep.ts";

/** `kv_cache_config.free_gpu_memory_fraction`. */
const DEFAULT_FRACTION = 0.9;
const BLOCK_TOKENS = 32;
/** `max_num_tokens` and `max_batch_size` when nobody says. */
const BATCH_TOKENS = 8192;
const SEQUENCES = 2048;
/** Logits of one request as computed and as float. */
const LOGIT_BYTES = 6;
/** Kernels, cuBLAS and the autotuner's workspace. */
const WORKSPACE = 512 * MIB;
const GRAPH_BYTES_PER_LAYER = 8 * MIB;
const HOST_SERVER = 4 * GIB;
const HOST_RANK = 3 * GIB;

/**
 * How TensorRT-LLM divides a card: weights and activations first, then `free_gpu_memory_fraction` (0.9) of what is still
 * free becomes KV cache (nvidia.github.io/TensorRT-LLM, reference/memory). Layers with a window keep the whole context
 * unless a window is configured, and each request slot holds its recurrent states. Where it may not take all that is
 * free, its start has to bound the cache too (`kv_cache_config.max_tokens`, the predicted tokens).
 */
const TENSORRT_LLM: PagedEngine = {
  title: "TensorRT-LLM",
  blockTokens: BLOCK_TOKENS,
  defaults: () => ({ batchTokens: BATCH_TOKENS, sequences: SEQUENCES }),
  parts: tensorrtParts,
  kvRoom: ({ card, settings }, parts) => {
    const left = card.free - partBytes(parts);
    return left <= 0 ? left : left * (settings.memoryFraction ?? DEFAULT_FRACTION);
  },
  fractionWithin: () => DEFAULT_FRACTION,
  claimed: (card) => Math.max(0, card.free),
  share: (card, fraction) =>
    `${formatBytes(Math.max(0, card.free))} free, ${fraction} of what is left of it for KV cache`,
  keep: (cache, settings) => {
    const keep = torchKeep(cache, settings);
    return keep.kind === "window" ? { kind: "full", tokenBytes: keep.tokenBytes } : keep;
  },
  pool: (keeps, settings) =>
    blockPool(
      keeps.filter((keep) => keep.kind !== "state"),
      BLOCK_TOKENS,
      settings.batchTokens,
    ),
  host: (_settings, ranks) => [
    { term: "overhead", name: "server", bytes: HOST_SERVER },
    { term: "overhead", name: "workers", bytes: HOST_RANK * ranks },
  ],
};

/** TensorRT-LLM: a fraction of what weights and activations leave becomes KV cache. */
export const tensorrtLlm: MemoryModel = pagedModel(TENSORRT_LLM);

function tensorrtParts(work: RankWork): readonly MemoryPart[] {
  const { shape, stage, settings } = work;
  const ranks = settings.tensorParallel * settings.pipelineParallel;
  let states = 0;
  for (const layer of stage.layers)
    for (const cache of layer.caches) {
      const keep = torchKeep(cache, settings);
      if (keep.kind === "state") states += keep.bytes;
    }
  return [
    { term: "kvCache", name: "recurrent states", bytes: states * settings.parallel },
    { term: "compute", name: "activations", bytes: activationBytes(work) },
    {
      term: "compute",
      name: "logits",
      bytes: stage.last ? settings.parallel * shape.vocabulary * LOGIT_BYTES : 0,
    },
    { term: "overhead", name: "workspace", bytes: WORKSPACE },
    { term: "overhead", name: "NCCL", bytes: collectiveBytes(ranks) },
    {
      term: "overhead",
      name: "CUDA graphs",
      bytes: settings.cudaGraphs ? stage.layers.length * GRAPH_BYTES_PER_LAYER : 0,
    },
    { term: "overhead", name: "CUDA context", bytes: CUDA_CONTEXT },
  ];
}
