import type { SparseModel, SparseTensor, SparseValue } from "../sparse-gguf.ts";
import {
  blocks,
  common,
  ends,
  experts,
  feedForward,
  norm,
  rmsEpsilon,
  sharedExperts,
  small,
  weight,
} from "./parts.ts";

interface LatentModel {
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Rank of the queries; 0 for queries in one matrix. */
  readonly queryRank: number;
  readonly denseLayers: number;
  readonly feedForward: number;
  readonly expertWidth: number;
  readonly experts: number;
  readonly used: number;
  readonly shared: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly type: string;
  readonly indexer?: { readonly heads: number; readonly length: number };
}

const RANK = 512;
const ROPE = 64;
const NOPE = 128;
const VALUE = 128;

/** DeepSeek V2 Lite: one latent a token, 64 experts and 2 that every token passes. */
export const deepseek2Lite = (type: string): SparseModel =>
  latentModel({
    architecture: "deepseek2",
    layers: 27,
    width: 2048,
    heads: 16,
    queryRank: 0,
    denseLayers: 1,
    feedForward: 10_944,
    expertWidth: 1408,
    experts: 64,
    used: 6,
    shared: 2,
    vocabulary: 102_400,
    context: 163_840,
    type,
  });

/** DeepSeek V3.2: as V3, with the keys of a sparse-attention indexer. */
export const deepseek32 = (type: string): SparseModel =>
  latentModel({
    architecture: "deepseek32",
    layers: 61,
    width: 7168,
    heads: 128,
    queryRank: 1536,
    denseLayers: 3,
    feedForward: 18_432,
    expertWidth: 2048,
    experts: 256,
    used: 8,
    shared: 1,
    vocabulary: 129_280,
    context: 163_840,
    type,
    indexer: { heads: 64, length: 128 },
  });

function latentModel(of: LatentModel): SparseModel {
  return {
    architecture: of.architecture,
    metadata: latentMetadata(of),
    tensors: [
      ...ends(of.width, of.vocabulary, { embedding: of.type, output: "Q6_K" }),
      ...blocks(of.layers, (index, name) => [
        norm(name("attn_norm"), of.width),
        ...latentAttention(of, name),
        norm(name("ffn_norm"), of.width),
        ...(index < of.denseLayers
          ? feedForward(name, of.type, of.width, of.feedForward)
          : [
              ...experts(name, { type: of.type, width: of.width, inner: of.expertWidth, count: of.experts }),
              ...sharedExperts(name, of.type, of.width, of.expertWidth * of.shared),
            ]),
      ]),
    ],
  };
}

function latentMetadata(of: LatentModel): Record<string, SparseValue> {
  return {
    ...common(of),
    ...rmsEpsilon,
    "attention.head_count": of.heads,
    "attention.head_count_kv": 1,
    "attention.key_length": RANK + ROPE,
    "attention.value_length": RANK,
    "attention.key_length_mla": NOPE + ROPE,
    "attention.value_length_mla": VALUE,
    "attention.kv_lora_rank": RANK,
    ...(of.queryRank === 0 ? {} : { "attention.q_lora_rank": of.queryRank }),
    "rope.dimension_count": ROPE,
    feed_forward_length: of.feedForward,
    leading_dense_block_count: of.denseLayers,
    expert_feed_forward_length: of.expertWidth,
    expert_count: of.experts,
    expert_used_count: of.used,
    expert_shared_count: of.shared,
    expert_weights_scale: { float: 1 },
    expert_gating_func: of.indexer === undefined ? 1 : 2,
    ...(of.indexer === undefined
      ? {}
      : {
          "attention.indexer.head_count": of.indexer.heads,
          "attention.indexer.key_length": of.indexer.length,
          "attention.indexer.top_k": 2048,
        }),
  };
}

function latentAttention(of: LatentModel, name: (part: string) => string): SparseTensor[] {
  const { type, width, queryRank, heads, indexer } = of;
  const query = heads * (NOPE + ROPE);
  return [
    ...(queryRank === 0
      ? [weight(name("attn_q"), type, width, query)]
      : [
          weight(name("attn_q_a"), type, width, queryRank),
          norm(name("attn_q_a_norm"), queryRank),
          weight(name("attn_q_b"), type, queryRank, query),
        ]),
    norm(name("attn_kv_a_norm"), RANK),
    weight(name("attn_kv_a_mqa"), type, width, RANK + ROPE),
    weight(name("attn_k_b"), "Q8_0", NOPE, RANK, heads),
    weight(name("attn_v_b"), type, RANK, VALUE, heads),
    weight(name("attn_output"), type, heads * VALUE, width),
    ...(indexer === undefined
      ? []
      : [
          norm(name("indexer.k_norm"), indexer.length),
          small(name("indexer.k_norm.bias"), indexer.length),
          weight(name("indexer.proj"), "F32", width, indexer.heads),
          weight(name("indexer.attn_k"), type, width, indexer.length),
          weight(name("indexer.attn_q_b"), type, queryRank, indexer.heads * indexer.length),
        ]),
  ];
}
