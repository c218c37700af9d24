import type { SparseModel } from "../sparse-gguf.ts";
import { attention, blocks, common, ends, feedForward, heads, norm, rmsEpsilon, weight } from "./parts.ts";

/** Gemma 3 12B: five layers of six look back 1024 tokens only; tied. */
export function gemma3(type: string): SparseModel {
  const width = 3840;
  const of = { layers: 48, width, vocabulary: 262_208, context: 131_072 };
  const grouped = { query: 16, keyValue: 8, length: 256 };
  return {
    architecture: "gemma3",
    metadata: {
      ...common(of),
      ...heads(grouped),
      ...rmsEpsilon,
      feed_forward_length: 15_360,
      "attention.sliding_window": 1024,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: "Q6_K" }),
      ...blocks(of.layers, (_, name) => [
        norm(name("attn_norm"), width),
        ...attention(name, { type, width, ...grouped, norms: true }),
        norm(name("post_attention_norm"), width),
        norm(name("ffn_norm"), width),
        ...feedForward(name, type, width, 15_360),
        norm(name("post_ffw_norm"), width),
      ]),
    ],
  };
}

const slides = (index: number): boolean => index % 6 !== 5;

/** Gemma 4 of the size of E4B: per-layer embeddings, heads of two lengths, and last layers that share earlier caches. */
export function gemma4(type: string): SparseModel {
  const width = 2560;
  const of = { layers: 42, width, vocabulary: 262_144, context: 131_072 };
  const own = 24;
  const perLayer = 256;
  return {
    architecture: "gemma4",
    metadata: {
      ...common(of),
      ...rmsEpsilon,
      "attention.head_count": 8,
      "attention.head_count_kv": 2,
      "attention.key_length": 512,
      "attention.value_length": 512,
      "attention.key_length_swa": 256,
      "attention.value_length_swa": 256,
      "attention.sliding_window": 512,
      "attention.sliding_window_pattern": Array.from({ length: of.layers }, (_, index) => slides(index)),
      "attention.shared_kv_layers": of.layers - own,
      "rope.dimension_count": 512,
      "rope.dimension_count_swa": 256,
      embedding_length_per_layer_input: perLayer,
      feed_forward_length: 10_240,
      final_logit_softcapping: { float: 30 },
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: "Q6_K" }),
      weight("per_layer_token_embd", "Q5_K", perLayer * of.layers, of.vocabulary),
      weight("per_layer_model_proj", "F16", width, perLayer * of.layers),
      norm("per_layer_proj_norm", perLayer),
      norm("rope_freqs", 256),
      ...blocks(of.layers, (index, name) => {
        const length = slides(index) ? 256 : 512;
        return [
          norm(name("attn_norm"), width),
          ...attention(name, { type, width, query: 8, keyValue: 2, length, norms: true }),
          norm(name("post_attention_norm"), width),
          norm(name("ffn_norm"), width),
          ...feedForward(name, type, width, 10_240),
          norm(name("post_ffw_norm"), width),
          weight(name("inp_gate"), type, width, perLayer),
          weight(name("proj"), type, perLayer, width),
          norm(name("post_norm"), width),
        ];
      }),
    ],
  };
}
