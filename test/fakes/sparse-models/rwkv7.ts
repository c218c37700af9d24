import type { SparseModel, SparseTensor } from "../sparse-gguf.ts";
import { blocks, common, ends, norm, small, weight } from "./parts.ts";

const DECAY = 96;
const RATE = 96;
const VALUE = 64;
const GATE = 320;

/** RWKV-7 2.9B: no attention, a state of one matrix a head and the last token of each half. */
export function rwkv7(type: string): SparseModel {
  const width = 2560;
  const of = { layers: 32, width, vocabulary: 65_536, context: 1_048_576 };
  return {
    architecture: "rwkv7",
    metadata: {
      ...common(of),
      "attention.head_count": 0,
      "attention.layer_norm_epsilon": { float: 1e-5 },
      "attention.decay_lora_rank": DECAY,
      "attention.iclr_lora_rank": RATE,
      "attention.value_residual_mix_lora_rank": VALUE,
      "attention.gate_lora_rank": GATE,
      "wkv.head_size": 64,
      token_shift_count: 2,
      feed_forward_length: 10_240,
    },
    tensors: [
      ...ends(width, of.vocabulary, { embedding: type, output: type }),
      small("output_norm.bias", width),
      norm("token_embd_norm", width),
      small("token_embd_norm.bias", width),
      ...blocks(of.layers, (index, name) => [
        ...timeMix(name, type, width, index === 0 ? RATE : VALUE),
        small(name("channel_mix_lerp_k.weight"), width, 1, 1),
        weight(name("channel_mix_key"), type, width, 10_240),
        weight(name("channel_mix_value"), type, 10_240, width),
      ]),
    ],
  };
}

function timeMix(
  name: (part: string) => string,
  type: string,
  width: number,
  valueRank: number,
): SparseTensor[] {
  const ranks: readonly (readonly [letter: string, rank: number])[] = [
    ["w", DECAY],
    ["a", RATE],
    ["v", valueRank],
    ["g", GATE],
  ];
  return [
    ...["attn_norm", "attn_norm_2", "time_mix_ln"].flatMap((part) => [
      norm(name(part), width),
      small(name(`${part}.bias`), width),
    ]),
    ...ranks.flatMap(([letter, rank]) => [
      ...(letter === "g" ? [] : [norm(name(`time_mix_${letter}0`), width)]),
      weight(name(`time_mix_${letter}1`), "F32", width, rank),
      weight(name(`time_mix_${letter}2`), "F32", rank, width),
    ]),
    small(name("time_mix_lerp_fused.weight"), width, 1, 1, 6),
    ...["k_k", "k_a", "r_k"].map((part) => norm(name(`time_mix_${part}`), width)),
    ...["key", "value", "receptance", "output"].map((part) =>
      weight(name(`time_mix_${part}`), type, width, width),
    ),
  ];
}
