import { OmniError } from "../core/index.ts";
import type { LayerCache } from "./model-shape.ts";

/** Real blocks keep some ten thousand elements a token, and states of some ten million. */
const MOST_ELEMENTS = 2 ** 36;

/**
 * Throws `OmniError` `model.malformed` when a block would keep more than any model's does: products of damaged numbers
 * are no whole numbers any more, and every sum that they enter is wrong.
 */
export function checkCaches(caches: readonly (readonly LayerCache[])[], name: string): void {
  for (const [block, kept] of caches.entries()) {
    const most = Math.max(0, ...kept.map(elementsOf));
    if (most <= MOST_ELEMENTS) continue;
    throw new OmniError(
      "model.malformed",
      `${name} claims that block ${block} keeps ${most} elements for each token or sequence; no model keeps so many.`,
    );
  }
}

function elementsOf(cache: LayerCache): number {
  if (cache.kind === "state") return cache.convolution + cache.recurrent;
  if (cache.kind === "latent") return cache.rank + cache.rope + cache.indexer;
  return cache.kvHeads * (cache.keyLength + cache.valueLength);
}
