import { findEngineKind, QUANTIZATIONS } from "../catalog/index.ts";
import { formatBytes, formatCount, GIB } from "../core/index.ts";
import type { LayerCache, ModelShape } from "../models/model-shape.ts";
import type { Spec } from "../spec/index.ts";
import { decimal } from "./format-amount.ts";
import { cardsOfService } from "./hardware.ts";
import { bytesAreKnown, dimensionsOf, isGguf, shapeOf } from "./model-facts.ts";
import { atService, rejectionFindings } from "./rejections.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

type Service = Spec["services"][string];

/** CUDA context and compute buffers of one card, roughly. */
const RUNNING_BYTES = 1.5 * GIB;
/** Bytes of an element of the KV cache by its type; 2 for the 16-bit types and what the engine chooses. */
const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map([
  ["f32", 4],
  ["q8_0", 34 / 32],
  ["q5_1", 24 / 32],
  ["q5_0", 22 / 32],
  ["q4_1", 20 / 32],
  ["q4_0", 18 / 32],
  ["iq4_nl", 18 / 32],
  ["fp8", 1],
  ["fp8_e4m3", 1],
  ["fp8_e5m2", 1],
  ["int8", 1],
  ["nvfp4", 18 / 32],
]);

function elementsAt(cache: LayerCache, tokens: number): number {
  switch (cache.kind) {
    case "full":
      return tokens * cache.kvHeads * (cache.keyLength + cache.valueLength);
    case "window":
      return Math.min(tokens, cache.window) * cache.kvHeads * (cache.keyLength + cache.valueLength);
    case "latent":
      return tokens * (cache.rank + cache.rope + cache.indexer);
    case "state":
      return cache.convolution + cache.recurrent;
  }
}

/** Bytes that one request of this length keeps. */
function kvBytes(shape: ModelShape, tokens: number, type: string): number {
  const caches = shape.layers.flatMap((layer) => (layer.draft === true ? [] : layer.caches));
  const elements = caches.reduce((sum, cache) => sum + elementsAt(cache, tokens), 0);
  return elements * (ELEMENT_BYTES.get(type) ?? 2);
}

/** Says itself that a part stays in main memory, or does so by its nature. */
function offloads(spec: Spec, service: Service): boolean {
  const { cpuMoe, gpuLayers, gpuExperts, kvCache } = service;
  const kinds = service.engine.map((engine) => findEngineKind(spec.engines[engine]?.kind ?? engine)?.name);
  return (
    (cpuMoe !== undefined && cpuMoe !== false && cpuMoe !== 0) ||
    typeof gpuLayers === "number" ||
    gpuExperts !== undefined ||
    kvCache.offload === true ||
    kinds.includes("ktransformers")
  );
}

const SMALLEST = QUANTIZATIONS.list
  .filter((quantization) => quantization.formats.includes("gguf"))
  .reduce((least, quantization) => (quantization.bits < least.bits ? quantization : least));

/** The key that says which part of such a model stays in main memory. */
const offloadKey = (shape: ModelShape): string => (shape.experts === undefined ? "gpuLayers" : "cpuMoe");

/** Weights whose bytes are known, against what they are expected to take. */
function ofWeights(name: string, model: string, shape: ModelShape, expected: number): readonly Finding[] {
  if (shape.weightBytes <= expected) return [];
  return [
    {
      at: ["services", name, "expect", "vram"],
      message: `The weights of ${model} in ${shape.quantization.name} are ${decimal(shape.weightBytes)} (${formatBytes(shape.weightBytes)}), more than the ${decimal(expected)} that ${name} is expected to take on its cards: ${decimal(shape.weightBytes - expected)} would have to be elsewhere, and nothing says where.`,
      hint:
        shape.format === "gguf"
          ? `${offloadKey(shape)}: …   # say what stays in main memory, or take a smaller quantization`
          : "Take a smaller quantization (W4A16 is about a quarter of BF16), or a larger card.",
    },
  ];
}

/** Bits that are left for each parameter where nobody says the quantization, against the fewest that GGUF has. */
function ofBits(spec: Spec, name: string, shape: ModelShape, expected: number): readonly Finding[] {
  const service = spec.services[name];
  if (service === undefined) return [];
  const cards = service.devices.kind === "gpus" ? cardsOfService(spec, service).length : 1;
  const tokens = typeof service.context === "number" ? service.context : 0;
  const kv = kvBytes(shape, tokens, service.kvCache.type ?? "auto");
  const left = Math.max(0, expected - kv - cards * RUNNING_BYTES);
  const bits = (left * 8) / shape.parameters;
  if (bits >= SMALLEST.bits) return [];
  return [
    {
      at: ["services", name, "expect", "vram"],
      message: `${decimal(expected)} less ${formatBytes(kv)} of KV cache for ${formatCount(tokens)} tokens and about ${formatBytes(cards * RUNNING_BYTES)} of contexts and buffers leave ${decimal(left)} for ${(shape.parameters / 1e9).toFixed(2)}e9 parameters: ${bits.toFixed(2)} bits each. The smallest GGUF type, ${SMALLEST.name}, has ${SMALLEST.bits} (${decimal((SMALLEST.bits * shape.parameters) / 8)}): no GGUF is that small, so a part of the model is in main memory.`,
      hint: `${offloadKey(shape)}: …   # and the model's quantization, so that Omni can say how much`,
    },
  ];
}

/** GGUF by its own words, or because no engine of the service reads anything else. */
const servedAsGguf = (spec: Spec, service: Service, model: Spec["models"][string]): boolean =>
  isGguf(model) ||
  service.engine.every((engine) => {
    const formats = findEngineKind(spec.engines[engine]?.kind ?? engine)?.formats ?? [];
    return formats.length === 1 && formats[0] === "gguf";
  });

function expectation(input: AdviceInput, name: string, service: Service): readonly Finding[] {
  const { spec } = input;
  const expected = service.expect?.vram;
  const model = service.model === undefined ? undefined : spec.models[service.model];
  if (expected === undefined || model === undefined || service.model === undefined) return [];
  if (service.devices.kind === "cpu" || offloads(spec, service)) return [];
  const shape = shapeOf(input, service.model);
  if (shape !== undefined && bytesAreKnown(model, shape))
    return ofWeights(name, service.model, shape, expected);
  const dimensions = dimensionsOf(input, service.model);
  return dimensions === undefined || !servedAsGguf(spec, service, model)
    ? []
    : ofBits(spec, name, dimensions, expected);
}

/** A model that is said to be on the cards as a whole, and cannot be. */
export const notFullyResident: Rule = {
  code: "not-fully-resident",
  severity: "error",
  source: "Arithmetic over the model's published dimensions; bits of GGUF types: ggml-quants",
  find: (input) => [
    ...rejectionFindings(input, "not-fully-resident", atService(input)),
    ...Object.entries(input.spec.services).flatMap(([name, service]) => expectation(input, name, service)),
  ],
};
