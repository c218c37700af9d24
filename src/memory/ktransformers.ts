import { formatBytes, OmniError } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { hostHint, refuse, refuseCard } from "./ktransformers-refusal.ts";
import { expertBytes, predictSplit, rankMemory } from "./ktransformers-split.ts";
import type {
  DeviceRoom,
  EngineSettings,
  Fit,
  FitRequest,
  MemoryModel,
  MemoryPrediction,
  Wishes,
} from "./memory-model.ts";
import { indivisible, largestDivisor } from "./tensor-division.ts";
import { wishedSettings } from "./wished-settings.ts";

/** A context that nobody asked for: experts in main memory are too slow to fill a longer one. */
const CHOSEN_CONTEXT = 32_768;
const SMALLEST_CONTEXT = 4096;
const CHUNK_TOKENS = 2048;

/**
 * KTransformers (kt-kernel within SGLang): all routed experts stay in main memory, in the file's scheme or in that of
 * `--kt-method`; a card holds the rest of the model, the KV cache, `gpuExperts` experts of each layer, and one layer of
 * experts more for layerwise prefill. Cards divide every layer. Check: V3.2 with INT4 experts and 40 000 tokens takes
 * about 27 GB of a card and about 350 GB of main memory.
 */
export const ktransformers: MemoryModel = {
  predict: (shape, settings, devices, wishes) => {
    if (shape === undefined)
      throw new OmniError("model.no-shape", "KTransformers' memory follows from the model's shape");
    return predictSplit(shape, settings, devices.length, wishes);
  },
  fit: fitSplit,
};

function fitSplit({ shape, wishes, devices, host }: FitRequest): Fit {
  const first = unsuited(shape, wishes, devices);
  if (first !== undefined) return first;
  if (shape === undefined)
    return refuse("model.no-shape", "its shape is not known", "Give the model's file.");
  const free = Math.min(...devices.map((card) => card.free));
  const trained = shape.trainedContext > 0 ? shape.trainedContext : CHOSEN_CONTEXT;
  const base: EngineSettings = {
    ...baseSettings(devices.length, host.threads),
    contextTokens: Math.min(trained, CHOSEN_CONTEXT),
    gpuLayers: shape.layers.length + 1,
    cpuExpertLayers: shape.layers.filter((layer) => layer.weights.experts > 0).length,
    ...wishedSettings(wishes),
    tensorParallel: devices.length,
    pipelineParallel: 1,
    gpuExperts: wishes.gpuExperts ?? 0,
  };
  const settings = shortened(shape, base, wishes, free);
  const bare = predictSplit(shape, settings, devices.length, wishes);
  if (!within(bare, devices)) return refuseCard(bare, devices, shape, wishes, host.free);
  if (bare.host.total > host.free)
    return {
      ...refuse(
        "does-not-fit",
        `needs ${formatBytes(bare.host.total)} of main memory (experts ${formatBytes(bare.host.weights)}); ${formatBytes(Math.max(0, host.free))} are free`,
        hostHint(shape, wishes, host.free - (bare.host.total - bare.host.weights)),
      ),
      prediction: bare,
    };
  const gpuExperts = wishes.gpuExperts ?? mostExperts(shape, settings, bare, devices);
  const prediction = predictSplit(shape, { ...settings, gpuExperts }, devices.length, wishes);
  const resident = gpuExperts >= (shape.experts?.count ?? 0);
  if (wishes.resident !== true || resident) return { fits: true, prediction, resident };
  return refuse(
    "not-fully-resident",
    `${gpuExperts} of ${shape.experts?.count ?? 0} experts a layer fit on the cards beside the rest of the model`,
    "Let experts stay in main memory, or use more cards.",
  );
}

function unsuited(
  shape: ModelShape | undefined,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
): Fit | undefined {
  if (shape === undefined)
    return refuse(
      "model.no-shape",
      "computes from the model's shape, and nothing tells it",
      "Give the model's file, a known family, or its shape.",
    );
  if (devices.length === 0)
    return refuse(
      "plan.no-device",
      "runs attention on a card, and none is given",
      "Name a card, or use llama.cpp.",
    );
  if (shape.experts === undefined || shape.expertParameters === 0)
    return refuse(
      "model.unsupported",
      "divides a model between card and main memory by its experts, and this one has none",
      "Use vLLM or llama.cpp.",
    );
  const uneven = indivisible(shape, devices.length);
  const wished = wishes.tensorParallel ?? devices.length;
  if (uneven === undefined && wished === devices.length && (wishes.pipelineParallel ?? 1) === 1)
    return undefined;
  return refuse(
    "plan.indivisible",
    uneven === undefined
      ? `splits every layer over all ${devices.length} cards that it is given, and tensorParallel is ${wished}`
      : `cannot split this model over ${devices.length} cards: ${uneven}`,
    `Give it ${largestDivisor(shape, devices.length)} of them.`,
  );
}

/** The context that was wished, or halved until the cards hold it. */
function shortened(shape: ModelShape, base: EngineSettings, wishes: Wishes, free: number): EngineSettings {
  let { contextTokens } = base;
  const total = (): number => rankMemory(shape, { ...base, contextTokens }, wishes).total;
  if (wishes.contextTokens === undefined)
    while (contextTokens > SMALLEST_CONTEXT && total() > free) contextTokens = Math.floor(contextTokens / 2);
  return { ...base, contextTokens };
}

const within = (prediction: MemoryPrediction, devices: readonly DeviceRoom[]): boolean =>
  devices.every((card, index) => (prediction.devices[index]?.total ?? 0) <= card.free);

/** Experts of each layer that fit into what the cards have left. */
function mostExperts(
  shape: ModelShape,
  settings: EngineSettings,
  bare: MemoryPrediction,
  devices: readonly DeviceRoom[],
): number {
  const one = expertBytes(shape) / settings.tensorParallel / Math.max(1, shape.experts?.count ?? 1);
  const left = Math.min(...devices.map((card, index) => card.free - (bare.devices[index]?.total ?? 0)));
  return one <= 0 ? 0 : Math.max(0, Math.min(shape.experts?.count ?? 0, Math.floor((left - 1) / one)));
}

const baseSettings = (
  cards: number,
  threads: number,
): Omit<EngineSettings, "contextTokens" | "gpuLayers"> => ({
  parallel: 1,
  kvKeyType: "bf16",
  kvValueType: "bf16",
  kvOnHost: false,
  kvUnified: true,
  tensorParallel: cards,
  pipelineParallel: 1,
  cpuExpertLayers: 0,
  batchTokens: CHUNK_TOKENS,
  microBatchTokens: CHUNK_TOKENS,
  flashAttention: true,
  cudaGraphs: true,
  threads,
});
