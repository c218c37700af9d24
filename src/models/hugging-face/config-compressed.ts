import { compressor, keys, keysOfWindow, SPARSE_RATIO } from "../gguf/compressed-attention.ts";
import type { LayerCache } from "../model-shape.ts";
import { windowOf } from "./config-mixers.ts";
import { headsOf } from "./config-heads.ts";
import { layersOf } from "./config.ts";
import type { TextConfig } from "./config.ts";

/**
 * DeepSeek-V4's caches, keys only: the last tokens as they are, and by `compress_ratios` one entry for every 4 or 128
 * tokens beyond them (here as a width of that fraction), with an indexer key for every 4, and the tables of the entries
 * that are being built. The same as the GGUF reader's, by the names of config.json.
 */
export function compressedCaches(text: TextConfig, ratios: readonly number[]): LayerCache[][] {
  const { kvHeads, length } = headsOf(text);
  const width = kvHeads * length;
  const indexer = text.index_head_dim ?? 0;
  const window = keysOfWindow(windowOf(text) ?? 0, width);
  return Array.from({ length: layersOf(text) ?? 0 }, (_, layer) => {
    const ratio = ratios[layer] ?? 0;
    if (ratio === 0) return [window];
    if (ratio > SPARSE_RATIO) return [window, keys(width / ratio), compressor(ratio, length)];
    return [
      window,
      keys(width / ratio),
      keys(indexer / ratio),
      compressor(2 * ratio, 2 * length),
      compressor(2 * ratio, 2 * indexer),
    ];
  });
}
