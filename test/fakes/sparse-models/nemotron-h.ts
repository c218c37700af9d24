import type { SparseModel } from "../sparse-gguf.ts";
import {
  attention,
  blocks,
  common,
  ends,
  heads,
  type Mamba,
  mamba2,
  mambaMetadata,
  norm,
  rmsEpsilon,
  small,
  weight,
} from "./parts.ts";

/** What each of the 52 layers is: Mamba 2, experts or attention. */
const LAYERS = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME".split("");

/** Nemotron 3 Nano 30B-A3B: every layer is a mixer or experts, never both; experts without a gate. */
export function nemotronH(type: string): SparseModel {
  const width = 2688;
  const of = { layers: LAYERS.length, width, vocabulary: 131_072, context: 262_144 };
  const mixer: Mamba = { kernel: 4, inner: 4096, state: 128, rank: 64, groups: 8 };
  return {
    architecture: "nemotron_h_moe",
    metadata: {
      ...common(of),
      ...heads({ query: 32, keyValue: LAYERS.map((kind) => (kind === "*" ? 2 : 0)), length: 128 }),
      ...mambaMetadata(mixer),
      ...rmsEpsilon,
      "attention.layer_norm_epsilon": { float: 1e-5 },
      feed_forward_length: LAYERS.map((kind) => (kind === "E" ? 1856 : 0)),
      expert_feed_forward_length: 1856,
      expert_shared_feed_forward_length: 3712,
      expert_count: 128,
      expert_used_count: 6,
      expert_shared_count: 1,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: "Q6_K" }),
      ...blocks(of.layers, (index, name) => [
        norm(name("attn_norm"), width),
        ...(LAYERS[index] === "M" ? mamba2(name, type, width, mixer) : []),
        ...(LAYERS[index] === "*"
          ? attention(name, { type, width, query: 32, keyValue: 2, length: 128 })
          : []),
        ...(LAYERS[index] === "E"
          ? [
              weight(name("ffn_gate_inp"), "F32", width, 128),
              small(name("exp_probs_b.bias"), 128),
              weight(name("ffn_down_exps"), type, 1856, width, 128),
              weight(name("ffn_up_exps"), type, width, 1856, 128),
              weight(name("ffn_down_shexp"), type, 3712, width),
              weight(name("ffn_up_shexp"), type, width, 3712),
            ]
          : []),
      ]),
    ],
  };
}
