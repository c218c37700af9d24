import type { LayerCache } from "../model-shape.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { Hyperparameters } from "./hyperparameters.ts";

/** Tokens that share one compressed entry. Source: DSV4_CSA_RATIO and DSV4_HCA_RATIO in llama.cpp, src/llama-kv-cache-dsv4.cpp. */
export const SPARSE_RATIO = 4;
const HEAVY_RATIO = 128;

/**
 * The caches of DeepSeek-V4, keys only: the last tokens as they are; beside them, by the block's compression ratio, one
 * entry for every 4 or 128 tokens (here as a width of that fraction), an indexer key for every 4, and the
 * compressors' states (two F32 tables: the entries being built, and their scores). Source: llama_kv_cache_dsv4 and
 * llama_dsv4_comp_state in llama.cpp, src/llama-kv-cache-dsv4.cpp.
 */
export function compressedCaches(fields: HeaderFields, model: Hyperparameters): LayerCache[][] {
  const window = fields.needed("attention.sliding_window");
  const indexer = fields.needed("attention.indexer.key_length");
  const ratios = fields.perLayer("attention.compress_ratios", model.blocks) ?? [];
  return Array.from({ length: model.blocks }, (_, block) => {
    const width = model.windowKeyLength * (model.kvHeads[block] ?? 0);
    const compressed = model.keyLength * (model.kvHeads[block] ?? 0);
    const caches: LayerCache[] = [keysOfWindow(window, width)];
    if (ratios[block] === SPARSE_RATIO)
      caches.push(
        keys(compressed / SPARSE_RATIO),
        keys(indexer / SPARSE_RATIO),
        compressor(2 * SPARSE_RATIO, 2 * model.windowKeyLength),
        compressor(2 * SPARSE_RATIO, 2 * indexer),
      );
    if (ratios[block] === HEAVY_RATIO)
      caches.push(keys(compressed / HEAVY_RATIO), compressor(HEAVY_RATIO, model.windowKeyLength));
    return caches;
  });
}

/** A cache of keys for every token, without values. */
export const keys = (elements: number): LayerCache => ({
  kind: "full",
  kvHeads: 1,
  keyLength: elements,
  valueLength: 0,
});

/** A cache of keys for the last `window` tokens, without values. */
export const keysOfWindow = (window: number, elements: number): LayerCache => ({
  kind: "window",
  window,
  kvHeads: 1,
  keyLength: elements,
  valueLength: 0,
});

/** State of a compressor: two tables, the entries that are being built and their scores. */
export const compressor = (rows: number, width: number): LayerCache => ({
  kind: "state",
  convolution: 0,
  recurrent: 2 * rows * width,
});
