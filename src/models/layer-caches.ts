import type { LinearAttention, Mixer, ModelDimensions } from "../catalog/model-dimensions.ts";
import type { LayerCache } from "./model-shape.ts";

/** The part of a model's dimensions that its caches follow from. */
type CacheDimensions = Pick<
  ModelDimensions,
  "layers" | "kvHeads" | "headLength" | "mixers" | "window" | "latent" | "linear" | "state" | "encoder"
>;

/**
 * What each block keeps, by the formulas of llama.cpp and vLLM: keys and values of every KV head, one latent of
 * `rank + rope` elements for MLA (with the indexer's keys for DSA), the last `window` tokens, or one state.
 * Source: llama.cpp src/llama-kv-cache.cpp, src/llama-memory-recurrent.cpp; vLLM vllm/v1/kv_cache_interface.py.
 */
export function layerCaches(dimensions: CacheDimensions): LayerCache[][] {
  return Array.from({ length: dimensions.layers }, (_, layer) =>
    cachesOf(dimensions, dimensions.mixers?.[layer] ?? "full"),
  );
}

/** Caches of a block with that mixer. */
export function cachesOf(dimensions: CacheDimensions, mixer: Mixer): LayerCache[] {
  const { kvHeads, headLength, latent, window } = dimensions;
  if (mixer === "none" || mixer === "shared" || dimensions.encoder !== undefined) return [];
  if (mixer === "state") return [stateOf(dimensions)];
  if (latent !== undefined)
    return [{ kind: "latent", rank: latent.rank, rope: latent.rope, indexer: latent.indexer?.length ?? 0 }];
  const heads = { kvHeads, keyLength: headLength, valueLength: headLength };
  return mixer === "window" && window !== undefined
    ? [{ kind: "window", window, ...heads }]
    : [{ kind: "full", ...heads }];
}

function stateOf(dimensions: CacheDimensions): LayerCache {
  if (dimensions.linear !== undefined) return { kind: "state", ...linearState(dimensions.linear) };
  return { kind: "state", convolution: 0, recurrent: 0, ...dimensions.state };
}

/** Elements of the state of linear attention: (kernel − 1) columns of the convolution, and one matrix a value head. */
export function linearState(linear: LinearAttention): { convolution: number; recurrent: number } {
  const channels = 2 * linear.keyHeads * linear.keyLength + linear.valueHeads * linear.valueLength;
  return {
    convolution: Math.max(0, linear.kernel - 1) * channels,
    recurrent: linear.valueHeads * linear.valueLength * linear.keyLength,
  };
}
