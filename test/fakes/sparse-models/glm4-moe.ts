import type { SparseModel } from "../sparse-gguf.ts";
import {
  attention,
  blocks,
  common,
  ends,
  experts,
  feedForward,
  heads,
  norm,
  rmsEpsilon,
  sharedExperts,
  small,
  weight,
} from "./parts.ts";

/** GLM-4.5 Air 106B: 128 experts behind one dense layer, and a block for token prediction at the end. */
export function glm4Moe(type: string): SparseModel {
  const width = 4096;
  const of = { layers: 47, width, vocabulary: 151_552, context: 131_072 };
  const grouped = { query: 96, keyValue: 8, length: 128 };
  return {
    architecture: "glm4moe",
    metadata: {
      ...common(of),
      ...heads(grouped),
      ...rmsEpsilon,
      "rope.dimension_count": 64,
      feed_forward_length: 10_944,
      expert_feed_forward_length: 1408,
      expert_count: 128,
      expert_used_count: 8,
      expert_shared_count: 1,
      leading_dense_block_count: 1,
      nextn_predict_layers: 1,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: "Q6_K" }),
      ...blocks(of.layers, (index, name) => [
        norm(name("attn_norm"), width),
        ...attention(name, { type, width, ...grouped }),
        norm(name("post_attention_norm"), width),
        ...(index === 0
          ? feedForward(name, type, width, 10_944)
          : [
              ...experts(name, { type, width, inner: 1408, count: 128 }),
              small(name("exp_probs_b.bias"), 128),
              ...sharedExperts(name, type, width, 1408),
            ]),
        ...(index === 46
          ? [
              weight(name("nextn.eh_proj"), type, 2 * width, width),
              norm(name("nextn.enorm"), width),
              norm(name("nextn.hnorm"), width),
            ]
          : []),
      ]),
    ],
  };
}
