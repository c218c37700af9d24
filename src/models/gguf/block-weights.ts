import type { BlockWeights } from "../model-shape.ts";
import type { GgufTensor } from "../gguf-header.ts";

/** What a tensor belongs to. */
export type TensorPlace =
  | { readonly kind: "block"; readonly block: number; readonly part: keyof BlockWeights }
  | { readonly kind: "embedding" | "output" | "other" };

/** Routed experts, by the expression that llama.cpp's `--cpu-moe` uses. Source: common/common.h, LLM_FFN_EXPS_REGEX. */
const EXPERTS = /\.ffn_(up|down|gate|gate_up)_(ch|)exps/;
const BLOCK = /^(?:enc\.|dec\.)?blk\.(\d{1,4})\.(.+)$/;
/** Names of feed-forward tensors within a block. Source: LLM_TENSOR_NAMES in llama.cpp, src/llama-arch.cpp. */
const FEED_FORWARD =
  /^(?:ffn[_.]|exp_probs_b|channel_mix_|post_ffw_norm|pre_ffw_norm|layer_output_norm|hc_ffn_|vis_(?:down|gate|up))/;
/** What a tensor is for, by its name. `output.` is the head; norms and what else stands outside the blocks is `other`. */
export function tensorPlace(name: string): TensorPlace {
  if (name === "token_embd.weight") return { kind: "embedding" };
  if (name.startsWith("output.")) return { kind: "output" };
  const block = BLOCK.exec(name);
  if (block === null) return { kind: "other" };
  const part = EXPERTS.test(name)
    ? "experts"
    : FEED_FORWARD.test(block[2] ?? "")
      ? "feedForward"
      : "attention";
  return { kind: "block", block: Number(block[1]), part };
}

/** Values of a tensor that count as parameters: scales of NVFP4 and ternary weights do not. */
export function parametersOf(tensor: GgufTensor): number {
  if (/\.(?:input_)?scale$/.test(tensor.name)) return 0;
  return tensor.dimensions.reduce((product, dimension) => product * dimension, 1);
}
