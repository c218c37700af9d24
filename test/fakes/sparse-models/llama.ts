import type { SparseModel } from "../sparse-gguf.ts";
import { attention, blocks, common, ends, experts, feedForward, heads, norm, rmsEpsilon } from "./parts.ts";

export interface LlamaDimensions {
  readonly layers: number;
  readonly width: number;
  readonly feedForward: number;
  readonly query: number;
  readonly keyValue: number;
  readonly headLength: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly type: string;
  readonly experts?: { readonly count: number; readonly used: number };
  readonly tied?: boolean;
}

/** Dimensions of Llama 3.1 8B. */
export const LLAMA_8B: LlamaDimensions = {
  layers: 32,
  width: 4096,
  feedForward: 14_336,
  query: 32,
  keyValue: 8,
  headLength: 128,
  vocabulary: 128_256,
  context: 131_072,
  type: "Q4_K",
};

/** Dimensions of Llama 3.2 1B, with tied embeddings. */
export const LLAMA_1B: LlamaDimensions = {
  ...LLAMA_8B,
  layers: 16,
  width: 2048,
  feedForward: 8192,
  headLength: 64,
  type: "Q8_0",
  tied: true,
};

/** Dimensions of Llama 3.3 70B. */
export const LLAMA_70B: LlamaDimensions = {
  ...LLAMA_8B,
  layers: 80,
  width: 8192,
  feedForward: 28_672,
  query: 64,
};

/** Dimensions of Mixtral 8x7B. */
export const MIXTRAL: LlamaDimensions = {
  ...LLAMA_8B,
  vocabulary: 32_000,
  context: 32_768,
  experts: { count: 8, used: 2 },
};

/** Dense or mixture-of-experts models of the llama architecture. */
export function llama(of: LlamaDimensions): SparseModel {
  const { width, type } = of;
  return {
    architecture: "llama",
    metadata: {
      ...common(of),
      ...heads({ query: of.query, keyValue: of.keyValue, length: of.headLength }),
      ...rmsEpsilon,
      feed_forward_length: of.feedForward,
      ...(of.experts === undefined
        ? {}
        : { expert_count: of.experts.count, expert_used_count: of.experts.used }),
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, ...(of.tied === true ? {} : { output: "Q6_K" }) }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        ...attention(name, { type, width, query: of.query, keyValue: of.keyValue, length: of.headLength }),
        norm(name("ffn_norm"), width),
        ...(of.experts === undefined
          ? feedForward(name, type, width, of.feedForward)
          : experts(name, { type, width, inner: of.feedForward, count: of.experts.count })),
      ]),
    ],
  };
}
