import type { ModelDimensions } from "../catalog/model-dimensions.ts";
import { inBlock } from "./described-tensor.ts";
import type { DescribedTensor, Row } from "./described-tensor.ts";

/**
 * Tensors of an encoder of BERT's kind: tables for types and positions of tokens, norms after each part and with biases.
 * Source: llama.cpp src/models/bert.cpp and nomic-bert.cpp.
 */
export function encoderTensors(
  model: ModelDimensions,
  encoder: NonNullable<ModelDimensions["encoder"]>,
  format: "gguf" | "safetensors",
): DescribedTensor[] {
  const { hidden } = model;
  const tables: Row[] = [
    ["token_types.weight", hidden, encoder.tokenTypes],
    ["token_embd_norm.weight", hidden],
    ["token_embd_norm.bias", hidden],
  ];
  if (encoder.positions !== undefined) tables.push(["position_embd.weight", hidden, encoder.positions]);
  // Conversion to GGUF leaves the pooler out, which embeddings do not use.
  if (encoder.pooler === true && format === "safetensors")
    tables.push(["pooler.weight", hidden, hidden], ["pooler.bias", hidden]);
  return [
    { name: "token_embd.weight", dimensions: [hidden, model.vocabulary], group: "embedding" },
    ...tables.map(([name, ...dimensions]): DescribedTensor => ({ name, dimensions, group: "other" })),
    ...Array.from({ length: model.layers }, (_, layer) => encoderBlock(model, encoder, layer)).flat(),
  ];
}

function encoderBlock(
  { hidden, feedForward }: ModelDimensions,
  { biased, gated }: NonNullable<ModelDimensions["encoder"]>,
  layer: number,
): DescribedTensor[] {
  const attention: Row[] = biased
    ? ["q", "k", "v"].flatMap((part): Row[] => matrix(`attn_${part}`, hidden, hidden, true))
    : matrix("attn_qkv", hidden, 3 * hidden, false);
  attention.push(...matrix("attn_output", hidden, hidden, biased), ...normRows("attn_output_norm", hidden));
  const rest = [
    ...matrix("ffn_up", hidden, feedForward, biased),
    ...(gated ? matrix("ffn_gate", hidden, feedForward, false) : []),
    ...matrix("ffn_down", feedForward, hidden, biased),
    ...normRows("layer_output_norm", hidden),
  ];
  return [...attention.map(inBlock(layer, "attention")), ...rest.map(inBlock(layer, "feedForward"))];
}

const matrix = (name: string, from: number, to: number, biased: boolean): Row[] => [
  [`${name}.weight`, from, to],
  ...(biased ? [[`${name}.bias`, to] as const] : []),
];

const normRows = (name: string, width: number): Row[] => [
  [`${name}.weight`, width],
  [`${name}.bias`, width],
];
