import type { LayerCache, LayerShape } from "../models/model-shape.ts";
import { cacheRowBytes } from "./llama-cpp-cache-types.ts";
import { type LlamaCppContext, padCells } from "./llama-cpp-context.ts";
import type { EngineSettings } from "./memory-model.ts";

/** What a layer keeps, by kind, bytes. */
export interface LayerCacheBytes {
  readonly full: number;
  readonly window: number;
  readonly indexer: number;
  readonly state: number;
}

export const NO_CACHE: LayerCacheBytes = { full: 0, window: 0, indexer: 0, state: 0 };

export const cacheTotal = (bytes: LayerCacheBytes): number =>
  bytes.full + bytes.window + bytes.indexer + bytes.state;

/**
 * Cells that a sliding-window layer keeps in one stream: the window of every sequence in it and one step more.
 * Source: llama_kv_cache_iswa in llama-kv-cache-iswa.cpp.
 */
function windowCells(window: number, context: LlamaCppContext, settings: EngineSettings): number {
  const sequences = settings.kvUnified ? context.sequences : 1;
  const step = Math.min(context.cells * context.streams, settings.batchTokens, settings.microBatchTokens);
  return padCells(Math.min(context.cells, window * sequences + step));
}

/** Cells of one stream for that kind of cache; 0 for a state, which has none. */
export function cellsOf(cache: LayerCache, context: LlamaCppContext, settings: EngineSettings): number {
  if (cache.kind === "state") return 0;
  return cache.kind === "window" ? windowCells(cache.window, context, settings) : context.cells;
}

/**
 * Bytes of the caches of one layer, over all streams and sequences. Keys and values are rows in the cache's types; a
 * latent is a row of keys without values; an indexer's keys are rows of keys of their own; a state is F32, once a
 * sequence. Blocks for token prediction keep nothing in the main context. `widestValue` is what `paddedValue` says.
 * Source: llama_kv_cache, llama_kv_cache_dsa and llama_memory_recurrent.
 */
export function layerCacheBytes(
  layer: LayerShape,
  context: LlamaCppContext,
  settings: EngineSettings,
  widestValue = 0,
): LayerCacheBytes {
  if (layer.draft === true) return NO_CACHE;
  const sum = { full: 0, window: 0, indexer: 0, state: 0 };
  for (const cache of layer.caches) {
    const cells = cellsOf(cache, context, settings) * context.streams;
    if (cache.kind === "state") {
      sum.state += (cache.convolution + cache.recurrent) * 4 * context.sequences;
    } else if (cache.kind === "latent") {
      sum.full += cells * cacheRowBytes(settings.kvKeyType, cache.rank + cache.rope);
      if (cache.indexer > 0) sum.indexer += cells * cacheRowBytes(settings.kvKeyType, cache.indexer);
    } else {
      sum[cache.kind] +=
        cells *
        (cacheRowBytes(settings.kvKeyType, cache.kvHeads * cache.keyLength) +
          cacheRowBytes(settings.kvValueType, Math.max(widestValue, cache.kvHeads * cache.valueLength)));
    }
  }
  return sum;
}

/**
 * Width to which the values of all layers are padded: without flash attention they are stored transposed, and then every
 * layer's are as wide as the widest; else 0. Source: [TAG_V_CACHE_VARIABLE] in llama-kv-cache.cpp.
 */
export function paddedValue(layers: readonly LayerShape[], settings: EngineSettings): number {
  if (settings.flashAttention) return 0;
  const widths = layers.flatMap(({ caches }) =>
    caches.map((cache) =>
      cache.kind === "full" || cache.kind === "window" ? cache.kvHeads * cache.valueLength : 0,
    ),
  );
  return widths.reduce((widest, width) => Math.max(widest, width), 0);
}

/** Bytes that one more token takes over all layers; windows and states do not grow with the context. */
export function bytesPerToken(layers: readonly LayerShape[], settings: EngineSettings): number {
  const one: LlamaCppContext = { cells: 1, streams: 1, sequences: 1, tokens: 1, outputs: 1 };
  return layers
    .map((layer) => ({ ...layer, caches: layer.caches.filter(({ kind }) => kind !== "window") }))
    .map((layer) => layerCacheBytes(layer, one, settings))
    .reduce((sum, { full, indexer }) => sum + full + indexer, 0);
}
