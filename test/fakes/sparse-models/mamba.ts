import type { SparseModel } from "../sparse-gguf.ts";
import {
  attention,
  blocks,
  common,
  ends,
  experts,
  feedForward,
  heads,
  type Mamba,
  mamba1,
  mamba2,
  mambaMetadata,
  norm,
  rmsEpsilon,
  sharedExperts,
} from "./parts.ts";

/** Mamba 2.8B: a state in every layer and no attention at all; tied. */
export function mamba(type: string): SparseModel {
  const width = 2560;
  const of = { layers: 64, width, vocabulary: 50_280, context: 1_048_576 };
  const mixer: Mamba = { kernel: 4, inner: 5120, state: 16, rank: 160, groups: 0 };
  return {
    architecture: "mamba",
    metadata: {
      ...common(of),
      ...mambaMetadata(mixer),
      ...rmsEpsilon,
      feed_forward_length: 0,
      "attention.head_count": 0,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        ...mamba1(name, type, width, mixer),
      ]),
    ],
  };
}

/** Codestral Mamba 7B: Mamba 2 with an output head of its own. */
export function codestralMamba(type: string): SparseModel {
  const width = 4096;
  const of = { layers: 64, width, vocabulary: 32_768, context: 1_048_576 };
  const mixer: Mamba = { kernel: 4, inner: 8192, state: 128, rank: 128, groups: 8 };
  return {
    architecture: "mamba2",
    metadata: {
      ...common(of),
      ...mambaMetadata(mixer),
      ...rmsEpsilon,
      feed_forward_length: 0,
      "attention.head_count": 0,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: type }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        ...mamba2(name, type, width, mixer),
      ]),
    ],
  };
}

/** Falcon-H1 7B: attention and Mamba 2 side by side in every layer. */
export function falconH1(type: string): SparseModel {
  const width = 3072;
  const of = { layers: 44, width, vocabulary: 130_048, context: 262_144 };
  const grouped = { query: 12, keyValue: 2, length: 128 };
  const mixer: Mamba = { kernel: 4, inner: 3072, state: 256, rank: 24, groups: 1 };
  return {
    architecture: "falcon-h1",
    metadata: {
      ...common(of),
      ...heads(grouped),
      ...mambaMetadata(mixer),
      ...rmsEpsilon,
      feed_forward_length: 12_288,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: "Q6_K" }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        ...mamba2(name, type, width, mixer),
        ...attention(name, { type, width, ...grouped }),
        { name: name("ffn_norm"), type: "F32", dimensions: [width] },
        ...feedForward(name, type, width, 12_288),
      ]),
    ],
  };
}

const graniteAttends = (index: number): boolean => [5, 15, 25, 35].includes(index);

/** Granite 4.0 H Small: four layers of 40 attend, the others are Mamba 2; 72 experts and shared ones; tied. */
export function graniteHybrid(type: string): SparseModel {
  const width = 4096;
  const of = { layers: 40, width, vocabulary: 100_352, context: 131_072 };
  const mixer: Mamba = { kernel: 4, inner: 8192, state: 128, rank: 128, groups: 1 };
  return {
    architecture: "granitehybrid",
    metadata: {
      ...common(of),
      ...heads({
        query: 32,
        keyValue: Array.from({ length: of.layers }, (_, index) => (graniteAttends(index) ? 8 : 0)),
        length: 128,
      }),
      ...mambaMetadata(mixer),
      ...rmsEpsilon,
      feed_forward_length: 768,
      expert_count: 72,
      expert_used_count: 10,
      expert_shared_feed_forward_length: 1536,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: "Q6_K" }),
      ...blocks(of.layers, (index, name) => [
        norm(name("attn_norm"), width),
        ...(graniteAttends(index)
          ? attention(name, { type, width, query: 32, keyValue: 8, length: 128 })
          : mamba2(name, type, width, mixer)),
        norm(name("ffn_norm"), width),
        ...experts(name, { type, width, inner: 768, count: 72 }),
        ...sharedExperts(name, type, width, 1536),
      ]),
    ],
  };
}

const jambaAttends = (index: number): boolean => index % 8 === 4;

/** Jamba of the size of 1.5 Mini: one layer of eight attends, the others are Mamba 1; experts in every other layer. */
export function jamba(type: string): SparseModel {
  const width = 4096;
  const of = { layers: 32, width, vocabulary: 65_536, context: 262_144 };
  const mixer: Mamba = { kernel: 4, inner: 8192, state: 16, rank: 256, groups: 0 };
  return {
    architecture: "jamba",
    metadata: {
      ...common(of),
      ...heads({
        query: 32,
        keyValue: Array.from({ length: of.layers }, (_, index) => (jambaAttends(index) ? 8 : 0)),
        length: 128,
      }),
      ...mambaMetadata(mixer),
      ...rmsEpsilon,
      feed_forward_length: 14_336,
      expert_count: 16,
      expert_used_count: 2,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: "Q6_K" }),
      ...blocks(of.layers, (index, name) => [
        norm(name("attn_norm"), width),
        ...(jambaAttends(index)
          ? attention(name, { type, width, query: 32, keyValue: 8, length: 128 })
          : [
              ...mamba1(name, type, width, mixer),
              norm(name("ssm_dt_norm"), mixer.rank),
              norm(name("ssm_b_norm"), mixer.state),
              norm(name("ssm_c_norm"), mixer.state),
            ]),
        norm(name("ffn_norm"), width),
        ...(index % 2 === 1
          ? experts(name, { type, width, inner: 14_336, count: 16 })
          : feedForward(name, type, width, 14_336)),
      ]),
    ],
  };
}
