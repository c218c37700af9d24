import { GPUS } from "../../src/catalog/index.ts";
import type { KvType } from "../../src/memory/memory-model.ts";
import type { LayerCache, ModelShape, WeightScheme } from "../../src/models/model-shape.ts";
import { checkGates } from "../../src/plan/gates/check-gates.ts";
import type { GateInput } from "../../src/plan/gates/gate.ts";

/** What the tests of the gates ask about: an engine of a spec, a card, a small model. */
export type Engine = GateInput["engine"];

export function card(model: string): GateInput["card"] {
  const known = GPUS.find((gpu) => gpu.name === model);
  if (known === undefined) throw new Error(`no card ${model}`);
  return { name: "gpu-0", model, computeCapability: known.computeCapability };
}

export const device = (computeCapability: string): GateInput["card"] => ({
  name: "gpu-0",
  model: "Some card",
  computeCapability,
});

const ATTENTION: LayerCache = { kind: "full", kvHeads: 8, keyLength: 128, valueLength: 128 };
export const SPARSE: LayerCache = { kind: "latent", rank: 512, rope: 64, indexer: 128 };

export function shape(
  scheme: WeightScheme,
  rest: { readonly architecture?: string; readonly cache?: LayerCache } = {},
): ModelShape {
  return {
    name: "a model",
    architecture: rest.architecture ?? "llama",
    format: scheme === "gguf" ? "gguf" : "safetensors",
    origin: "spec",
    parameters: 8e9,
    expertParameters: 0,
    weightBytes: 16e9,
    fileBytes: 16e9,
    quantization: { scheme, name: scheme.toUpperCase(), bitsPerWeight: 16 },
    embeddingBytes: 1e9,
    outputBytes: 1e9,
    tiedEmbeddings: false,
    otherBytes: 0,
    layers: [{ weights: { attention: 1, feedForward: 1, experts: 0 }, caches: [rest.cache ?? ATTENTION] }],
    hidden: 4096,
    heads: 32,
    kvHeads: 8,
    headLength: 128,
    feedForward: 14_336,
    vocabulary: 128_256,
    trainedContext: 131_072,
    projectorBytes: 0,
  };
}

export const input = (
  engine: Engine,
  on: GateInput["card"],
  rest: { readonly shape?: ModelShape; readonly kvType?: KvType; readonly driver?: string } = {},
): GateInput => ({
  engine,
  card: on,
  shape: rest.shape,
  kvType: rest.kvType ?? "f16",
  ...(rest.driver === undefined ? {} : { driver: rest.driver }),
});

export const codes = (given: GateInput): string[] => checkGates(given).map((refusal) => refusal.code);
