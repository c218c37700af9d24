import type { ModelShape } from "../../src/models/index.ts";

/** A dense model of 32 layers whose weights lie in the layers alone; 128 KiB of KV cache a token. */
export const denseShape = (
  weightBytes: number,
  trainedContext: number,
  architecture = "llama",
): ModelShape => ({
  architecture,
  format: "gguf",
  origin: "file",
  parameters: weightBytes * 2,
  expertParameters: 0,
  weightBytes,
  fileBytes: weightBytes,
  quantization: { scheme: "gguf", name: "Q4_0", bitsPerWeight: 4 },
  embeddingBytes: 0,
  outputBytes: 0,
  tiedEmbeddings: false,
  otherBytes: weightBytes % 32,
  layers: Array.from({ length: 32 }, () => ({
    weights: { attention: Math.floor(weightBytes / 32), feedForward: 0, experts: 0 },
    caches: [{ kind: "full", kvHeads: 8, keyLength: 128, valueLength: 128 }],
  })),
  hidden: 4096,
  heads: 32,
  kvHeads: 8,
  headLength: 128,
  feedForward: 14_336,
  vocabulary: 128_256,
  trainedContext,
  projectorBytes: 0,
});
