import type { KvType } from "./memory-model.ts";

/** Elements and bytes of one block of the types that llama.cpp stores keys and values in. Source: ggml-common.h. */
const BLOCKS: Partial<Record<KvType, { readonly elements: number; readonly bytes: number }>> = {
  f32: { elements: 1, bytes: 4 },
  f16: { elements: 1, bytes: 2 },
  bf16: { elements: 1, bytes: 2 },
  q8_0: { elements: 32, bytes: 34 },
  q5_1: { elements: 32, bytes: 24 },
  q5_0: { elements: 32, bytes: 22 },
  q4_1: { elements: 32, bytes: 20 },
  q4_0: { elements: 32, bytes: 18 },
  iq4_nl: { elements: 32, bytes: 18 },
};

/** Whether llama.cpp can keep its cache in this type (`--cache-type-k`, `--cache-type-v`). */
export const isLlamaCppCacheType = (type: KvType): boolean => BLOCKS[type] !== undefined;

/** Whether the type packs several values into a block, which needs flash attention for values and scratch on CUDA. */
export const isQuantizedCacheType = (type: KvType): boolean => (BLOCKS[type]?.elements ?? 1) > 1;

/** Bytes of a row of so many elements; types that llama.cpp does not have count as one byte an element. */
export function cacheRowBytes(type: KvType, elements: number): number {
  const block = BLOCKS[type] ?? { elements: 1, bytes: 1 };
  return Math.ceil(elements / block.elements) * block.bytes;
}
