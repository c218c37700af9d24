import type { WrittenTensor } from "./safetensors-writer.ts";

/** How the matrices of a block are written: as a bf16 weight, or as the tensors that a quantizer leaves instead. */
export type Packing = (name: string, rows: number, columns: number) => WrittenTensor[];

export const plain: Packing = (name, rows, columns) => [[`${name}.weight`, "BF16", [rows, columns]]];

/** compressed-tensors, W4A16 in groups of 128. */
export const packed: Packing = (name, rows, columns) => [
  [`${name}.weight_packed`, "I32", [rows, columns / 8]],
  [`${name}.weight_scale`, "BF16", [rows, columns / 128]],
  [`${name}.weight_shape`, "I64", [2]],
];
export const gptq: Packing = (name, rows, columns) => [
  [`${name}.qweight`, "I32", [columns / 8, rows]],
  [`${name}.qzeros`, "I32", [columns / 128, rows / 8]],
  [`${name}.scales`, "F16", [columns / 128, rows]],
  [`${name}.g_idx`, "I32", [columns]],
];
export const awq: Packing = (name, rows, columns) => [
  [`${name}.qweight`, "I32", [columns, rows / 8]],
  [`${name}.qzeros`, "I32", [columns / 128, rows / 8]],
  [`${name}.scales`, "F16", [columns / 128, rows]],
];
export const fp8: Packing = (name, rows, columns) => [
  [`${name}.weight`, "F8_E4M3", [rows, columns]],
  [`${name}.weight_scale_inv`, "F32", [Math.ceil(rows / 128), Math.ceil(columns / 128)]],
];
export const nvfp4: Packing = (name, rows, columns) => [
  [`${name}.weight`, "U8", [rows, columns / 2]],
  [`${name}.weight_scale`, "F8_E4M3", [rows, columns / 16]],
  [`${name}.weight_scale_2`, "F32", []],
  [`${name}.input_scale`, "F32", []],
];
export const nf4: Packing = (name, rows, columns) => [
  [`${name}.weight`, "U8", [(rows * columns) / 2, 1]],
  [`${name}.weight.absmax`, "U8", [(rows * columns) / 64]],
  [`${name}.weight.nested_absmax`, "F32", [Math.ceil((rows * columns) / 64 / 256)]],
  [`${name}.weight.nested_quant_map`, "F32", [256]],
  [`${name}.weight.quant_map`, "F32", [16]],
  [`${name}.weight.quant_state.bitsandbytes__nf4`, "U8", [80]],
];

export interface Widths {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headLength: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly tied?: boolean;
  readonly experts?: number;
  readonly prefix?: string;
}

/** Tensors of a Llama-like model, by transformers' names; with experts, all blocks have them. */
export function llamaTensors(widths: Widths, packing: Packing = plain): WrittenTensor[] {
  const { hidden, vocabulary, prefix = "model." } = widths;
  const tensors: WrittenTensor[] = [
    [`${prefix}embed_tokens.weight`, "BF16", [vocabulary, hidden]],
    [`${prefix}norm.weight`, "BF16", [hidden]],
  ];
  if (widths.tied !== true) tensors.push(["lm_head.weight", "BF16", [vocabulary, hidden]]);
  for (let layer = 0; layer < widths.layers; layer++)
    tensors.push(...blockTensors(`${prefix}layers.${layer}`, widths, packing));
  return tensors;
}

/** Tensors of one such block below `at`. */
export function blockTensors(at: string, widths: Widths, packing: Packing = plain): WrittenTensor[] {
  const { hidden, feedForward, experts = 0 } = widths;
  const queries = widths.heads * widths.headLength;
  const keys = widths.kvHeads * widths.headLength;
  const tensors: WrittenTensor[] = [
    [`${at}.input_layernorm.weight`, "BF16", [hidden]],
    [`${at}.post_attention_layernorm.weight`, "BF16", [hidden]],
    ...packing(`${at}.self_attn.q_proj`, queries, hidden),
    ...packing(`${at}.self_attn.k_proj`, keys, hidden),
    ...packing(`${at}.self_attn.v_proj`, keys, hidden),
    ...packing(`${at}.self_attn.o_proj`, hidden, queries),
  ];
  const parts =
    experts === 0 ? ["mlp"] : Array.from({ length: experts }, (_, index) => `mlp.experts.${index}`);
  for (const part of parts)
    tensors.push(
      ...packing(`${at}.${part}.gate_proj`, feedForward, hidden),
      ...packing(`${at}.${part}.up_proj`, feedForward, hidden),
      ...packing(`${at}.${part}.down_proj`, hidden, feedForward),
    );
  if (experts > 0) tensors.push([`${at}.mlp.gate.weight`, "BF16", [experts, hidden]]);
  return tensors;
}
