import type { SparseModel } from "../sparse-gguf.ts";
import { attention, blocks, common, ends, feedForward, heads, norm } from "./parts.ts";

/** Command R7B: attention beside the feed-forward part, three layers of four with a window of 4096 tokens; tied. */
export function cohere2(type: string): SparseModel {
  const width = 4096;
  const of = { layers: 32, width, vocabulary: 256_000, context: 131_072 };
  const grouped = { query: 32, keyValue: 8, length: 128 };
  return {
    architecture: "cohere2",
    metadata: {
      ...common(of),
      ...heads(grouped),
      "attention.layer_norm_epsilon": { float: 1e-5 },
      "attention.sliding_window": 4096,
      logit_scale: { float: 0.25 },
      feed_forward_length: 14_336,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: "Q6_K" }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        ...attention(name, { type, width, ...grouped }),
        ...feedForward(name, type, width, 14_336),
      ]),
    ],
  };
}
