import { formatBytes, GIB, MIB } from "../core/index.ts";
import { activationBytes } from "./activations.ts";
import { collectiveBytes, CUDA_CONTEXT } from "./cuda-overhead.ts";
import type { BlockPool, LayerKeep } from "./block-pool.ts";
import type { DeviceRoom, EngineSettings, MemoryModel, MemoryPart } from "./memory-model.ts";
import type { PagedEngine, RankWork } from "./paged-engine.ts";
import { pagedModel } from "./paged-model.ts";
import { termBytes } from "./terms.ts";
import { torchKeep } from "./torch-keep.ts";

/** Sliding windows get this share of the tokens that full attention gets (`swa_full_tokens_ratio`). */
const WINDOW_SHARE = 0.8;
/** Recurrent states get this share of the memory that full attention gets (`mamba_full_memory_ratio`). */
const STATE_SHARE = 0.9;
/** Cards from this size on keep at least this much free of weights and KV cache. */
const LARGE_CARD = 60 * GIB;
const LARGE_RESERVE = 10 * GIB;
/** A row of the table from request to token is one 32-bit index a token. */
const TABLE_BYTES = 4;
/** Logits of one request as computed and as float. */
const LOGIT_BYTES = 6;
const GRAPH_BYTES_PER_REQUEST = 2 * MIB;
const SEQUENCES = 256;
const HOST_SERVER = 3 * GIB;
const HOST_RANK = 2 * GIB;

/** Chunked prefill and captured batch by size of card (`server_args.py`); bytes, tokens, requests. */
const CARD_DEFAULTS = [
  { below: 20 * GIB, chunk: 2048, graphs: [8, 8] },
  { below: 35 * GIB, chunk: 2048, graphs: [24, 80] },
  { below: 60 * GIB, chunk: 4096, graphs: [32, 160] },
  { below: 160 * GIB, chunk: 8192, graphs: [256, 512] },
  { below: Number.POSITIVE_INFINITY, chunk: 16_384, graphs: [512, 512] },
] as const;

/**
 * How SGLang divides a card: of what is free when it starts, `mem_fraction_static` goes to weights and KV cache, the rest
 * to activations and graphs (`kv_pool = free_after_weights − free × (1 − fraction)`); the default fraction keeps
 * 512 MB + 1.5 MB a token of a chunk + 1 GB for 8 ranks + 2 MB a captured request, at least 10 GB on a large card. Where
 * SGLang may not take all that is free, its start has to bound the pool too (`--max-total-tokens`, the predicted tokens).
 */
const SGLANG: PagedEngine = {
  title: "SGLang",
  blockTokens: 1,
  defaults: (card) => ({ batchTokens: cardDefaults(card).chunk, sequences: SEQUENCES }),
  parts: sglangParts,
  kvRoom: ({ card, settings }, parts) =>
    (settings.memoryFraction ?? 0) * (card.free - outside(settings)) - termBytes(parts, "weights"),
  fractionWithin: (card, ranks) => {
    const room = card.free - CUDA_CONTEXT - collectiveBytes(ranks);
    return room <= 0 ? 0 : Math.max(0, 1 - reserve(card, ranks) / room);
  },
  tighterFractions: [0.7, 0.8, 0.85, 0.9],
  claimed: (card, fraction) => Math.max(0, card.free * fraction),
  share: (card, fraction) => `${fraction} of ${formatBytes(Math.max(0, card.free))} free`,
  keep: torchKeep,
  pool: (keeps, settings) => sglangPool(keeps, settings),
  host: (_settings, ranks) => [
    { term: "overhead", name: "server", bytes: HOST_SERVER },
    { term: "overhead", name: "workers", bytes: HOST_RANK * ranks },
  ],
};

/** SGLang: what is free at start is divided by one fraction, activations come out of the rest. */
export const sglang: MemoryModel = pagedModel(SGLANG);

/** What is on the card before SGLang looks at free memory. */
const outside = ({ tensorParallel, pipelineParallel }: EngineSettings): number =>
  CUDA_CONTEXT + collectiveBytes(tensorParallel * pipelineParallel);

const cardDefaults = (card: DeviceRoom): (typeof CARD_DEFAULTS)[number] =>
  CARD_DEFAULTS.find((each) => card.total < each.below) ?? CARD_DEFAULTS[0];

const capturedRequests = (card: DeviceRoom, ranks: number): number =>
  cardDefaults(card).graphs[ranks < 4 ? 0 : 1];

function reserve(card: DeviceRoom, ranks: number): number {
  const { chunk } = cardDefaults(card);
  const graphs = capturedRequests(card, ranks) * GRAPH_BYTES_PER_REQUEST;
  const bytes = 512 * MIB + 1.5 * MIB * chunk + (ranks / 8) * GIB + graphs;
  return card.total >= LARGE_CARD ? Math.max(LARGE_RESERVE, bytes) : bytes;
}

function sglangParts(work: RankWork): readonly MemoryPart[] {
  const { shape, stage, settings, card } = work;
  const ranks = settings.tensorParallel * settings.pipelineParallel;
  const captured = Math.min(settings.parallel, capturedRequests(card, ranks));
  return [
    { term: "compute", name: "activations", bytes: activationBytes(work) },
    {
      term: "compute",
      name: "logits",
      bytes: stage.last ? settings.parallel * shape.vocabulary * LOGIT_BYTES : 0,
    },
    {
      term: "overhead",
      name: "request table",
      bytes: settings.parallel * settings.contextTokens * TABLE_BYTES,
    },
    {
      term: "overhead",
      name: "CUDA graphs",
      bytes: settings.cudaGraphs ? captured * GRAPH_BYTES_PER_REQUEST : 0,
    },
    { term: "overhead", name: "NCCL", bytes: collectiveBytes(ranks) },
    { term: "overhead", name: "CUDA context", bytes: CUDA_CONTEXT },
  ];
}

/**
 * SGLang's pools beside each other, as one unit a token: full attention, `WINDOW_SHARE` of a token in layers with a window,
 * and `STATE_SHARE` of the bytes for states. A request takes as many units as its hungriest pool asks for.
 */
function sglangPool(keeps: readonly LayerKeep[], settings: EngineSettings): BlockPool {
  let full = 0;
  let window = 0;
  let state = 0;
  let widest = 0;
  for (const keep of keeps) {
    if (keep.kind === "state") state += keep.bytes;
    else if (keep.kind === "full") full += keep.tokenBytes;
    else {
      window += keep.tokenBytes;
      widest = Math.max(widest, keep.window);
    }
  }
  const windowShare = full > 0 ? WINDOW_SHARE : 1;
  const tokens = full + window * windowShare;
  if (tokens === 0) return { blockBytes: state, perRequest: () => 1 };
  const stateBytes = state > 0 ? tokens * STATE_SHARE : 0;
  return {
    blockBytes: tokens + stateBytes,
    perRequest: (context) =>
      Math.max(
        full > 0 ? context : 1,
        window > 0 ? Math.min(context, widest + settings.batchTokens) / windowShare : 0,
        state > 0 ? state / stateBytes : 0,
      ),
  };
}
