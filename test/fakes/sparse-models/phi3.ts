import type { SparseModel } from "../sparse-gguf.ts";
import { blocks, common, ends, heads, norm, rmsEpsilon, weight } from "./parts.ts";

/** Phi-4 14B: query, key and value in one matrix, gate and up in another. */
export function phi3(type: string): SparseModel {
  const width = 5120;
  const of = { layers: 40, width, vocabulary: 100_352, context: 16_384 };
  const grouped = { query: 40, keyValue: 10, length: 128 };
  return {
    architecture: "phi3",
    metadata: { ...common(of), ...heads(grouped), ...rmsEpsilon, feed_forward_length: 17_920 },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: "Q6_K" }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        weight(name("attn_qkv"), type, width, (grouped.query + 2 * grouped.keyValue) * grouped.length),
        weight(name("attn_output"), type, grouped.query * grouped.length, width),
        norm(name("ffn_norm"), width),
        weight(name("ffn_down"), type, 17_920, width),
        weight(name("ffn_up"), type, width, 2 * 17_920),
      ]),
    ],
  };
}
