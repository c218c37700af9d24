import type { SparseModel, SparseTensor, SparseValue } from "../sparse-gguf.ts";
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

interface DeltaNet {
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly length: number;
}

const KERNEL = 4;

const linearMetadata = (of: DeltaNet): Record<string, SparseValue> => ({
  "ssm.conv_kernel": KERNEL,
  "ssm.inner_size": of.valueHeads * of.length,
  "ssm.state_size": of.length,
  "ssm.time_step_rank": of.valueHeads,
  "ssm.group_count": of.keyHeads,
  full_attention_interval: 4,
});

/** Linear attention by gated delta rule, as both models have it in three layers of four. */
function deltaNet(name: (part: string) => string, type: string, width: number, of: DeltaNet): SparseTensor[] {
  const channels = (2 * of.keyHeads + of.valueHeads) * of.length;
  return [
    weight(name("attn_qkv"), type, width, channels),
    weight(name("attn_gate"), type, width, of.valueHeads * of.length),
    weight(name("ssm_conv1d"), "F32", KERNEL, channels),
    small(name("ssm_dt.bias"), of.valueHeads),
    small(name("ssm_a"), of.valueHeads),
    norm(name("ssm_norm"), of.length),
    weight(name("ssm_out"), type, of.valueHeads * of.length, width),
  ];
}

/** Qwen3.5 9B with a block for token prediction: eight of 32 layers attend fully, the others keep a state. */
export function qwen35(type: string): SparseModel {
  const width = 4096;
  const of = { layers: 33, width, vocabulary: 248_320, context: 262_144 };
  const grouped = { query: 16, keyValue: 4, length: 256 };
  const linear: DeltaNet = { keyHeads: 16, valueHeads: 32, length: 128 };
  const full = (name: (part: string) => string): SparseTensor[] =>
    attention(name, { type, width, ...grouped, norms: true, gate: true });
  return {
    architecture: "qwen35",
    metadata: {
      ...common(of),
      ...heads(grouped),
      ...rmsEpsilon,
      ...linearMetadata(linear),
      "rope.dimension_count": 64,
      "rope.dimension_sections": [11, 11, 10, 0],
      feed_forward_length: 12_288,
      nextn_predict_layers: 1,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: "Q6_K" }),
      ...blocks(of.layers, (index, name) => [
        norm(name("attn_norm"), width),
        norm(name("post_attention_norm"), width),
        ...(index % 4 === 3 || index === 32
          ? full(name)
          : [
              ...deltaNet(name, type, width, linear),
              weight(name("ssm_beta"), "F32", width, linear.valueHeads),
              weight(name("ssm_alpha"), "F32", width, linear.valueHeads),
            ]),
        ...feedForward(name, type, width, 12_288),
        ...(index === 32
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

/** Qwen3-Next 80B-A3B: the same mixture of attention with 512 experts. */
export function qwen3next(type: string): SparseModel {
  const width = 2048;
  const of = { layers: 48, width, vocabulary: 151_936, context: 262_144 };
  const grouped = { query: 16, keyValue: 2, length: 256 };
  const linear: DeltaNet = { keyHeads: 16, valueHeads: 32, length: 128 };
  return {
    architecture: "qwen3next",
    metadata: {
      ...common(of),
      ...heads(grouped),
      ...rmsEpsilon,
      ...linearMetadata(linear),
      "rope.dimension_count": 64,
      feed_forward_length: 5120,
      expert_feed_forward_length: 512,
      expert_shared_feed_forward_length: 512,
      expert_count: 512,
      expert_used_count: 10,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: "Q6_K" }),
      ...blocks(of.layers, (index, name) => [
        norm(name("attn_norm"), width),
        norm(name("post_attention_norm"), width),
        ...(index % 4 === 3
          ? attention(name, { type, width, ...grouped, norms: true, gate: true })
          : [
              ...deltaNet(name, type, width, linear),
              weight(name("ssm_ba"), "F32", width, 2 * linear.valueHeads),
            ]),
        ...experts(name, { type, width, inner: 512, count: 512 }),
        norm(name("ffn_gate_inp_shexp"), width),
        ...sharedExperts(name, type, width, 512),
      ]),
    ],
  };
}
