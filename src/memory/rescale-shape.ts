import type { LayerShape, ModelShape, WeightScheme } from "../models/model-shape.ts";
import { plainAttentionBytes, plainFeedForwardBytes } from "./rank-weights.ts";

/** Bytes of one parameter of a matrix, scales and zero points included, and how people write the scheme. */
interface SchemeBytes {
  readonly name: string;
  readonly perParameter: number;
}

/** Groups of 128 with one 16-bit scale; AWQ and GPTQ add a zero point of 4 bits; mxfp4 and nvfp4 scale 32 and 16. */
const SCHEMES: ReadonlyMap<WeightScheme, SchemeBytes> = new Map([
  ["f32", { name: "F32", perParameter: 4 }],
  ["f16", { name: "F16", perParameter: 2 }],
  ["bf16", { name: "BF16", perParameter: 2 }],
  ["fp8", { name: "FP8", perParameter: 1 }],
  ["int8", { name: "INT8", perParameter: 1 }],
  ["w8a16", { name: "W8A16", perParameter: 1 + 2 / 128 }],
  ["bnb-8bit", { name: "8-bit bitsandbytes", perParameter: 1 }],
  ["w4a16", { name: "W4A16", perParameter: 0.5 + 2 / 128 }],
  ["w4a16-gptq", { name: "GPTQ W4A16", perParameter: 0.5 + 2.5 / 128 }],
  ["w4a16-awq", { name: "AWQ W4A16", perParameter: 0.5 + 2.5 / 128 }],
  ["mxfp4", { name: "MXFP4", perParameter: 17 / 32 }],
  ["nvfp4", { name: "NVFP4", perParameter: 9 / 16 }],
  ["bnb-4bit", { name: "4-bit bitsandbytes", perParameter: 0.5 + 4.127 / 512 }],
]);
const PLAIN_BYTES = 2;

/**
 * The same model stored in another scheme: matrices of the blocks at the scheme's bytes a parameter, embedding, head, norms
 * and routers in 16 bit, as quantized checkpoints keep them. Exact up to small tensors where the shape's own blocks are of
 * one scheme. `undefined` for schemes of no fixed size (GGUF mixtures).
 */
export function rescaleShape(shape: ModelShape, scheme: WeightScheme): ModelShape | undefined {
  const target = SCHEMES.get(scheme);
  if (target === undefined) return undefined;
  const table = shape.vocabulary * shape.hidden;
  const dense = sumLayers(shape, (layer) => matrixBytes(shape, layer));
  const experts = sumLayers(shape, (layer) => layer.weights.experts);
  const plain = sumLayers(
    shape,
    (layer) => plainAttentionBytes(shape, layer) + plainFeedForwardBytes(shape, layer),
  );
  const tables = table * (shape.tiedEmbeddings ? 1 : 2);
  const denseParameters =
    shape.parameters - tables - shape.expertParameters - (plain + shape.otherBytes) / PLAIN_BYTES;
  const denseScale = dense === 0 ? 0 : (Math.max(0, denseParameters) * target.perParameter) / dense;
  const expertScale = experts === 0 ? 0 : (shape.expertParameters * target.perParameter) / experts;
  const layers = shape.layers.map((layer) => rescaleLayer(shape, layer, denseScale, expertScale));
  const embeddingBytes = table * PLAIN_BYTES;
  const outputBytes = shape.tiedEmbeddings ? 0 : embeddingBytes;
  const weightBytes =
    embeddingBytes +
    outputBytes +
    shape.otherBytes +
    shape.projectorBytes +
    layers.reduce((sum, { weights }) => sum + weights.attention + weights.feedForward + weights.experts, 0);
  const { tensors: _, ...rest } = shape;
  return {
    ...rest,
    format: "safetensors",
    layers,
    embeddingBytes,
    outputBytes,
    weightBytes,
    fileBytes: weightBytes,
    quantization: {
      scheme,
      name: target.name,
      bitsPerWeight: (weightBytes * 8) / Math.max(1, shape.parameters),
    },
  };
}

const sumLayers = (shape: ModelShape, of: (layer: LayerShape) => number): number =>
  shape.layers.reduce((sum, layer) => sum + of(layer), 0);

const matrixBytes = (shape: ModelShape, layer: LayerShape): number =>
  layer.weights.attention +
  layer.weights.feedForward -
  plainAttentionBytes(shape, layer) -
  plainFeedForwardBytes(shape, layer);

function rescaleLayer(shape: ModelShape, layer: LayerShape, dense: number, expert: number): LayerShape {
  const attention = plainAttentionBytes(shape, layer);
  const feedForward = plainFeedForwardBytes(shape, layer);
  return {
    ...layer,
    weights: {
      attention: Math.round(attention + (layer.weights.attention - attention) * dense),
      feedForward: Math.round(feedForward + (layer.weights.feedForward - feedForward) * dense),
      experts: Math.round(layer.weights.experts * expert),
    },
  };
}
