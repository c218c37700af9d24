import { formatBytes, GIB, MIB, OmniError } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { formatTokens } from "./format-tokens.ts";
import type {
  DeviceMemory,
  DeviceRoom,
  EngineSettings,
  Fit,
  FitRequest,
  MemoryModel,
  MemoryPart,
  MemoryPrediction,
  Wishes,
} from "./memory-model.ts";
import { pipelineStages } from "./pipeline-stages.ts";
import { rankWeights } from "./rank-weights.ts";
import { rescaleShape } from "./rescale-shape.ts";
import { indivisible, largestDivisor } from "./tensor-division.ts";
import { deviceMemory } from "./terms.ts";
import { torchKeep } from "./torch-keep.ts";
import { activationBytes, COLLECTIVES, CUDA_CONTEXT } from "./vllm-profile.ts";
import { wishedSettings } from "./wished-settings.ts";

/** A context that nobody asked for: experts in main memory are too slow to fill a longer one. */
const CHOSEN_CONTEXT = 32_768;
const SMALLEST_CONTEXT = 4096;
const CHUNK_TOKENS = 2048;
const WORKSPACE = 512 * MIB;
const LOGIT_BYTES = 6;
/** Server and Python of one rank, and the CPU backend's buffers for activations of one chunk. */
const HOST_PROCESS = 6 * GIB;
const HOST_BUFFERS = 2 * GIB;

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

function predictSplit(
  shape: ModelShape,
  settings: EngineSettings,
  cards: number,
  wishes: Wishes = {},
): MemoryPrediction {
  const rank = rankMemory(shape, settings, wishes);
  const tokens = settings.contextTokens * settings.parallel;
  return {
    devices: Array.from({ length: cards }, () => rank),
    host: deviceMemory([
      { term: "weights", name: "experts", bytes: expertBytes(hostShape(shape, wishes)) },
      { term: "compute", name: "buffers", bytes: HOST_BUFFERS },
      { term: "overhead", name: "processes", bytes: HOST_PROCESS * cards },
    ]),
    kv: {
      bytesPerToken: Math.ceil(tokenBytes(shape, settings) * cards),
      bytes: rank.kvCache * cards,
      tokens,
      concurrency: settings.parallel,
      type: settings.kvKeyType,
    },
    settings,
  };
}

/** One card: everything but routed experts, the KV cache of exactly the tokens asked for, and the chosen experts. */
function rankMemory(shape: ModelShape, settings: EngineSettings, wishes: Wishes): DeviceMemory {
  const ranks = settings.tensorParallel;
  const [stage] = pipelineStages(shape, 1);
  if (stage === undefined) return deviceMemory([]);
  const share = (settings.gpuExperts ?? 0) / Math.max(1, shape.experts?.count ?? 1);
  const weights = rankWeights(shape, stage, ranks).map((part): MemoryPart =>
    part.name === "experts" ? { ...part, bytes: part.bytes * share } : part,
  );
  const largest = Math.max(0, ...hostShape(shape, wishes).layers.map((layer) => layer.weights.experts));
  const work = { shape, stage, settings, wishes, card: { name: "", total: 0, free: 0 } };
  return deviceMemory([
    ...weights,
    {
      term: "kvCache",
      name: "KV cache",
      bytes: tokenBytes(shape, settings) * settings.contextTokens * settings.parallel,
    },
    { term: "kvCache", name: "recurrent states", bytes: stateBytes(shape, settings) * settings.parallel },
    { term: "compute", name: "activations", bytes: activationBytes(work) },
    { term: "compute", name: "logits", bytes: settings.parallel * shape.vocabulary * LOGIT_BYTES },
    { term: "compute", name: "layerwise prefill", bytes: share >= 1 ? 0 : largest / ranks },
    { term: "overhead", name: "workspace", bytes: WORKSPACE },
    { term: "overhead", name: "NCCL", bytes: ranks > 1 ? ranks * COLLECTIVES : 0 },
    { term: "overhead", name: "CUDA context", bytes: CUDA_CONTEXT },
  ]);
}

const expertBytes = (shape: ModelShape): number =>
  shape.layers.reduce((sum, layer) => (layer.draft === true ? sum : sum + layer.weights.experts), 0);

/** The shape with its experts as main memory holds them. */
const hostShape = (shape: ModelShape, wishes: Wishes): ModelShape =>
  (wishes.hostExperts === undefined ? undefined : rescaleShape(shape, wishes.hostExperts)) ?? shape;

function tokenBytes(shape: ModelShape, settings: EngineSettings): number {
  let bytes = 0;
  for (const layer of shape.layers)
    for (const cache of layer.draft === true ? [] : layer.caches) {
      const keep = torchKeep(cache, settings);
      if (keep.kind !== "state") bytes += keep.tokenBytes;
    }
  return bytes;
}

function stateBytes(shape: ModelShape, settings: EngineSettings): number {
  let bytes = 0;
  for (const layer of shape.layers)
    for (const cache of layer.draft === true ? [] : layer.caches) {
      const keep = torchKeep(cache, settings);
      if (keep.kind === "state") bytes += keep.bytes;
    }
  return bytes;
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

type Refusal = Extract<Fit, { fits: false }>;

const refuse = (code: Refusal["code"], reason: string, hint: string): Refusal => ({
  fits: false,
  code,
  reason: `KTransformers ${reason}`,
  hint,
});

function refuseCard(
  bare: MemoryPrediction,
  devices: readonly DeviceRoom[],
  shape: ModelShape,
  wishes: Wishes,
  hostFree: number,
): Fit {
  const card = devices.reduce((least, each) => (each.free < least.free ? each : least));
  const needs = bare.devices[0] ?? deviceMemory([]);
  const { contextTokens, parallel } = bare.settings;
  const smaller = rescaleShape(shape, "w4a16");
  const total =
    smaller === undefined ? Number.POSITIVE_INFINITY : rankMemory(smaller, bare.settings, wishes).total;
  const fits = total <= card.free && expertBytes(hostShape(shape, wishes)) <= hostFree;
  return {
    ...refuse(
      "does-not-fit",
      `needs ${formatBytes(needs.total)} a card with all experts in main memory (weights ${formatBytes(needs.weights)}, ` +
        `KV cache ${formatBytes(needs.kvCache)} for ${parallel} × ${formatTokens(contextTokens)} tokens, ` +
        `compute ${formatBytes(needs.compute)}, overhead ${formatBytes(needs.overhead)}); ${card.name} has ${formatBytes(Math.max(0, card.free))} free`,
      fits
        ? `W4A16 fits with ${formatTokens(contextTokens)} tokens at ${formatBytes(total)} a card.`
        : "Use a shorter context, a smaller quantization or a larger card.",
    ),
    prediction: bare,
  };
}

function hostHint(shape: ModelShape, wishes: Wishes, free: number): string {
  const smaller = rescaleShape(shape, "w4a16");
  const bytes = smaller === undefined ? Number.POSITIVE_INFINITY : expertBytes(smaller);
  if (bytes < expertBytes(hostShape(shape, wishes)) && bytes <= free)
    return `Experts in INT4 take ${formatBytes(bytes)} and fit: --kt-method AMXINT4 or RAWINT4.`;
  return `Give the machine more memory, or use a model with fewer experts: in INT4 they take ${formatBytes(bytes)}.`;
}
