import type { LayerCache, ModelShape } from "../models/model-shape.ts";
import { type GraphRun, INDEXER_CHOICE } from "./llama-cpp-block-graph.ts";
import { isQuantizedCacheType } from "./llama-cpp-cache-types.ts";
import type { LlamaCppContext } from "./llama-cpp-context.ts";
import type { Graph, GraphValue } from "./llama-cpp-graph.ts";
import { cacheTotal, cellsOf, layerCacheBytes } from "./llama-cpp-kv-cache.ts";
import { type BlockWidths, blockWidths } from "./llama-cpp-widths.ts";
import type { EngineSettings, KvType } from "./memory-model.ts";

/** What one place computes of the model. */
export interface ComputeShare {
  /** Indices of the blocks in order. */
  readonly blocks: readonly number[];
  /** Whether a block's experts are computed in main memory although the block is on a card. */
  readonly expertsAway: (block: number) => boolean;
  readonly output: boolean;
  readonly cuda: boolean;
  /** Input copies: more than one when several cards work on successive batches at once. */
  readonly copies: number;
  /** The stream comes from another card, which has also begun the first norm of the next block. */
  readonly handedOver: boolean;
  /** A block of main memory whose feed-forward part is computed here for prompts. */
  readonly borrowed?: number;
}

/** A model under its settings, with the widths of its blocks. */
export interface GraphModel {
  readonly shape: ModelShape;
  readonly settings: EngineSettings;
  readonly context: LlamaCppContext;
  readonly widths: readonly BlockWidths[];
  /** Whether any block reads another's cache, and whether any has an indexer. */
  readonly sharesCaches: boolean;
  readonly hasIndexer: boolean;
}

/** The model with what all its graphs need to know. */
export function graphModel(
  shape: ModelShape,
  settings: EngineSettings,
  context: LlamaCppContext,
): GraphModel {
  const widths = blockWidths(shape);
  return {
    shape,
    settings,
    context,
    widths,
    sharesCaches: shape.layers.some(
      ({ caches, draft }, block) =>
        draft !== true && caches.length === 0 && (widths[block]?.keyLength ?? 0) > 0,
    ),
    hasIndexer: shape.layers.some(({ caches }) => caches.some(indexed)),
  };
}

const indexed = (cache: LayerCache): boolean => cache.kind === "latent" && cache.indexer > 0;

const F32 = 4;
const F16 = 2;
const I32 = 4;

/** Bytes of a value of so many elements a token. */
export const rows = ({ context }: GraphModel, width: number): number => width * context.tokens * F32;

export type Masks = ReadonlyMap<"full" | "window", GraphValue>;

/** Every block with an indexer has a table of the tokens it lets through, and all tables are there from the start. */
export function indexerBytes(model: GraphModel, share: ComputeShare): number {
  if (!model.hasIndexer) return 0;
  const tables = share.blocks.filter((block) => model.shape.layers[block]?.caches.some(indexed) === true);
  return rows(model, tables.length * Math.min(INDEXER_CHOICE, model.context.cells));
}

/**
 * Bytes of caches on other cards that blocks without a cache of their own read here: each such block has a copy of all
 * the cells, for every batch that is under way. The source is the last block with heads of the same width.
 */
export function foreignCacheBytes(model: GraphModel, share: ComputeShare): number {
  if (!model.sharesCaches) return 0;
  const { shape, settings, context, widths } = model;
  const first = share.blocks[0] ?? 0;
  const copies = share.blocks.map((block) => {
    const layer = shape.layers[block];
    const length = widths[block]?.keyLength ?? 0;
    if (layer === undefined || layer.draft === true || layer.caches.length > 0 || length === 0) return 0;
    const source = shape.layers.findLastIndex(
      ({ caches }, index) =>
        index < block && caches.some((cache) => "keyLength" in cache && cache.keyLength === length),
    );
    const there = shape.layers[source];
    return there === undefined || source >= first ? 0 : cacheTotal(layerCacheBytes(there, context, settings));
  });
  const [sum, most] = copies.reduce(([total, max], bytes) => [total + bytes, Math.max(max, bytes)], [0, 0]);
  return share.copies > 1 ? share.copies * sum : most;
}

/** Elements a token of the embeddings of all layers, 0 for models without them. */
export function perLayerWidth({ shape }: GraphModel): number {
  return shape.tensors?.find(({ name }) => name === "per_layer_token_embd.weight")?.dimensions[0] ?? 0;
}

/** A value that comes from another place: read once, or kept in several copies when batches overlap. */
export function addInput(graph: Graph, bytes: number, copies: number): GraphValue {
  if (copies === 1) return graph.result(bytes);
  const kept = Array.from({ length: copies }, () => graph.kept(bytes));
  return kept[0] ?? 0;
}

/** One mask a kind of cache, of which cells each token may look at; and without flash attention where values go. */
export function addMasks(graph: Graph, model: GraphModel, blocks: readonly number[], copies: number): Masks {
  const { context, settings, shape } = model;
  const masks = new Map<"full" | "window", GraphValue>();
  for (const cache of blocks.flatMap((block) => shape.layers[block]?.caches ?? [])) {
    const cells = cellsOf(cache, context, settings);
    const kind = cache.kind === "window" ? "window" : "full";
    if (cells === 0 || masks.has(kind)) continue;
    if (!settings.flashAttention && (cache.kind === "full" || cache.kind === "window")) {
      addInput(graph, cache.kvHeads * cache.valueLength * context.tokens * 2 * I32, copies);
    }
    const bytes = cells * context.tokens * (settings.flashAttention ? F16 : F32);
    masks.set(kind, addInput(graph, bytes, copies));
    if (cache.kind === "latent" && cache.indexer > 0) addInput(graph, bytes, copies);
  }
  return masks;
}

/** Source of the scratch: ggml_cuda_flash_attn_ext_get_f16_extra_data in fattn-common.cuh. */
export function graphRun({ settings, context }: GraphModel, cuda: boolean): GraphRun {
  const unpacks = (type: KvType): boolean => cuda && (isQuantizedCacheType(type) || type === "bf16");
  const scratch = (cache: LayerCache): number => {
    const cells = cellsOf(cache, context, settings) * context.streams;
    if (cache.kind === "state") return 0;
    if (cache.kind === "latent")
      return unpacks(settings.kvKeyType) ? cells * (cache.rank + cache.rope) * F16 : 0;
    const keys = unpacks(settings.kvKeyType) ? cache.kvHeads * cache.keyLength : 0;
    const values = unpacks(settings.kvValueType) ? cache.kvHeads * cache.valueLength : 0;
    return cells * (keys + values) * F16;
  };
  return {
    tokens: context.tokens,
    sequences: context.sequences,
    flashAttention: settings.flashAttention,
    cells: (cache) => cellsOf(cache, context, settings),
    scratch,
  };
}
