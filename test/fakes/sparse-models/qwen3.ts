import type { SparseModel } from "../sparse-gguf.ts";
import { attention, blocks, common, ends, experts, feedForward, heads, norm, rmsEpsilon } from "./parts.ts";

/** Qwen3 4B: dense, tied, heads wider together than the model. */
export function qwen3(type: string): SparseModel {
  const width = 2560;
  const of = { layers: 36, width, vocabulary: 151_936, context: 40_960 };
  const grouped = { query: 32, keyValue: 8, length: 128 };
  return {
    architecture: "qwen3",
    metadata: { ...common(of), ...heads(grouped), ...rmsEpsilon, feed_forward_length: 9728 },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: "Q6_K" }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        ...attention(name, { type, width, ...grouped, norms: true }),
        norm(name("ffn_norm"), width),
        ...feedForward(name, type, width, 9728),
      ]),
    ],
  };
}

/** Qwen3 30B-A3B: 128 experts a layer, 8 of them used. */
export function qwen3moe(type: string): SparseModel {
  const width = 2048;
  const of = { layers: 48, width, vocabulary: 151_936, context: 40_960 };
  const grouped = { query: 32, keyValue: 4, length: 128 };
  return {
    architecture: "qwen3moe",
    metadata: {
      ...common(of),
      ...heads(grouped),
      ...rmsEpsilon,
      feed_forward_length: 6144,
      expert_feed_forward_length: 768,
      expert_count: 128,
      expert_used_count: 8,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: "Q6_K" }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        ...attention(name, { type, width, ...grouped, norms: true }),
        norm(name("ffn_norm"), width),
        ...experts(name, { type, width, inner: 768, count: 128 }),
      ]),
    ],
  };
}
