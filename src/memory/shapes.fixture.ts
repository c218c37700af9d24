import type { LayerCache, LayerShape, ModelShape } from "../models/model-shape.ts";
import { rescaleShape } from "./rescale-shape.ts";

interface DenseDimensions {
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headLength: number;
  readonly vocabulary: number;
  readonly tied?: boolean;
  readonly trainedContext: number;
  readonly caches?: (layer: number) => readonly LayerCache[];
}

/** A dense model in BF16 from its published dimensions. */
export function denseShape(dimensions: DenseDimensions): ModelShape {
  const { hidden, heads, kvHeads, headLength, feedForward, vocabulary } = dimensions;
  const attention = hidden * headLength * (2 * heads + 2 * kvHeads) + hidden;
  const dense = 3 * hidden * feedForward + hidden;
  const full: LayerCache = { kind: "full", kvHeads, keyLength: headLength, valueLength: headLength };
  const layers = Array.from({ length: dimensions.layers }, (_, index): LayerShape => ({
    weights: { attention: attention * 2, feedForward: dense * 2, experts: 0 },
    caches: dimensions.caches?.(index) ?? [full],
  }));
  const tables = vocabulary * hidden * (dimensions.tied === true ? 1 : 2);
  const parameters = tables + dimensions.layers * (attention + dense) + hidden;
  return {
    name: dimensions.name,
    architecture: "llama",
    format: "safetensors",
    origin: "catalog",
    parameters,
    expertParameters: 0,
    weightBytes: parameters * 2,
    fileBytes: parameters * 2,
    quantization: { scheme: "bf16", name: "BF16", bitsPerWeight: 16 },
    embeddingBytes: vocabulary * hidden * 2,
    outputBytes: dimensions.tied === true ? 0 : vocabulary * hidden * 2,
    tiedEmbeddings: dimensions.tied === true,
    otherBytes: hidden * 2,
    layers,
    hidden,
    heads,
    kvHeads,
    headLength,
    feedForward,
    vocabulary,
    trainedContext: dimensions.trainedContext,
    projectorBytes: 0,
  };
}

/** The same shape in a smaller scheme. */
export function inScheme(shape: ModelShape, scheme: ModelShape["quantization"]["scheme"]): ModelShape {
  const scaled = rescaleShape(shape, scheme);
  if (scaled === undefined) throw new Error(`${scheme} has no fixed size`);
  return scaled;
}

export const LLAMA_70B = denseShape({
  name: "DeepSeek-R1-Distill-Llama-70B",
  layers: 80,
  hidden: 8192,
  feedForward: 28_672,
  heads: 64,
  kvHeads: 8,
  headLength: 128,
  vocabulary: 128_256,
  trainedContext: 131_072,
});

export const MISTRAL_NEMO = denseShape({
  name: "Mistral-Nemo-12B",
  layers: 40,
  hidden: 5120,
  feedForward: 14_336,
  heads: 32,
  kvHeads: 8,
  headLength: 128,
  vocabulary: 131_072,
  trainedContext: 131_072,
});

export const QWEN3_4B = denseShape({
  name: "Qwen3-4B",
  layers: 36,
  hidden: 2560,
  feedForward: 9728,
  heads: 32,
  kvHeads: 8,
  headLength: 128,
  vocabulary: 151_936,
  tied: true,
  trainedContext: 40_960,
});

/** DeepSeek-V3.2 in FP8: 3 dense and 58 expert layers, one latent of 576 and 128 indexer keys a token and layer. */
export const DEEPSEEK_V32: ModelShape = {
  ...LLAMA_70B,
  name: "DeepSeek-V3.2",
  architecture: "deepseek2",
  parameters: 671_030_000_000,
  expertParameters: 58 * 256 * 3 * 7168 * 2048,
  weightBytes: 690_000_000_000,
  fileBytes: 690_000_000_000,
  quantization: { scheme: "fp8", name: "FP8", bitsPerWeight: 8.2 },
  embeddingBytes: 129_280 * 7168 * 2,
  outputBytes: 129_280 * 7168 * 2,
  otherBytes: 7168 * 2,
  hidden: 7168,
  heads: 128,
  kvHeads: 1,
  headLength: 192,
  feedForward: 18_432,
  vocabulary: 129_280,
  trainedContext: 163_840,
  experts: { count: 256, used: 8, shared: 1, feedForward: 2048 },
  layers: Array.from({ length: 61 }, (_, index) => ({
    weights: {
      attention: 187_000_000,
      feedForward: index < 3 ? 3 * 7168 * 18_432 : 3 * 7168 * 2048 + 256 * 7168 * 2,
      experts: index < 3 ? 0 : 256 * 3 * 7168 * 2048,
    },
    caches: [{ kind: "latent", rank: 512, rope: 64, indexer: 128 }],
  })),
};
