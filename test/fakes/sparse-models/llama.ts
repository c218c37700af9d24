import type { SparseModel } from "../sparse-gguf.ts";
import { blocks, common, ends, heads, norm, rmsEpsilon, weight } from "./parts.ts";

interface LlamaDimensions {
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

/** Dense or mixture-of-experts (Mixtral) models of the llama architecture. */
export function llama(of: LlamaDimensions): SparseModel {
  const { width, feedForward, type, experts } = of;
  const queries = of.query * of.headLength;
  const keys = of.keyValue * of.headLength;
  return {
    architecture: "llama",
    metadata: {
      ...common(of),
      ...heads({ query: of.query, keyValue: of.keyValue, length: of.headLength }),
      ...rmsEpsilon,
      feed_forward_length: feedForward,
      ...(experts === undefined ? {} : { expert_count: experts.count, expert_used_count: experts.used }),
    },
    tensors: [
      ...ends(
        width,
        of.vocabulary,
        of.tied === true ? { embedding: type } : { embedding: type, output: "Q6_K" },
      ),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        weight(name("attn_q"), type, width, queries),
        weight(name("attn_k"), type, width, keys),
        weight(name("attn_v"), type, width, keys),
        weight(name("attn_output"), type, queries, width),
        norm(name("ffn_norm"), width),
        ...(experts === undefined
          ? [
              weight(name("ffn_gate"), type, width, feedForward),
              weight(name("ffn_down"), type, feedForward, width),
              weight(name("ffn_up"), type, width, feedForward),
            ]
          : [
              weight(name("ffn_gate_inp"), "F32", width, experts.count),
              weight(name("ffn_gate_exps"), type, width, feedForward, experts.count),
              weight(name("ffn_down_exps"), type, feedForward, width, experts.count),
              weight(name("ffn_up_exps"), type, width, feedForward, experts.count),
            ]),
      ]),
    ],
  };
}
