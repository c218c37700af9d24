import type { SparseModel } from "../sparse-gguf.ts";
import { attention, blocks, common, ends, experts, heads, norm, rmsEpsilon, small } from "./parts.ts";

/** gpt-oss 20B: experts in MXFP4, every other layer with a window of 128 tokens, attention sinks, biases. */
export function gptOss(): SparseModel {
  const width = 2880;
  const of = { layers: 24, width, vocabulary: 201_088, context: 131_072 };
  const grouped = { query: 64, keyValue: 8, length: 64 };
  return {
    architecture: "gpt-oss",
    metadata: {
      ...common(of),
      ...heads(grouped),
      ...rmsEpsilon,
      feed_forward_length: 2880,
      expert_feed_forward_length: 2880,
      expert_count: 32,
      expert_used_count: 4,
      "attention.sliding_window": 128,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: "Q8_0", output: "Q8_0" }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        norm(name("post_attention_norm"), width),
        ...attention(name, { type: "Q8_0", width, ...grouped }),
        small(name("attn_q.bias"), grouped.query * grouped.length),
        small(name("attn_k.bias"), grouped.keyValue * grouped.length),
        small(name("attn_v.bias"), grouped.keyValue * grouped.length),
        small(name("attn_output.bias"), width),
        small(name("attn_sinks.weight"), grouped.query),
        ...experts(name, { type: "MXFP4", width, inner: 2880, count: 32 }),
        small(name("ffn_gate_inp.bias"), 32),
        small(name("ffn_gate_exps.bias"), 2880, 32),
        small(name("ffn_down_exps.bias"), width, 32),
        small(name("ffn_up_exps.bias"), 2880, 32),
      ]),
    ],
  };
}
