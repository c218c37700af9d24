import { GIB, MIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { activationBytes } from "./activations.ts";
import { collectiveBytes, CUDA_CONTEXT } from "./cuda-overhead.ts";
import type { DeviceMemory, EngineSettings, MemoryPart, MemoryPrediction, Wishes } from "./memory-model.ts";
import { pipelineStages } from "./pipeline-stages.ts";
import { rankWeights } from "./rank-weights.ts";
import { rescaleShape } from "./rescale-shape.ts";
import { deviceMemory } from "./terms.ts";
import { torchKeep } from "./torch-keep.ts";

const WORKSPACE = 512 * MIB;
const LOGIT_BYTES = 6;
/** Server and Python of one rank, and the CPU backend's buffers for activations of one chunk. */
const HOST_PROCESS = 6 * GIB;
const HOST_BUFFERS = 2 * GIB;

/** Bytes of every card, which are all alike, and of main memory. */
export function predictSplit(
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
export function rankMemory(shape: ModelShape, settings: EngineSettings, wishes: Wishes): DeviceMemory {
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
    { term: "overhead", name: "NCCL", bytes: collectiveBytes(ranks) },
    { term: "overhead", name: "CUDA context", bytes: CUDA_CONTEXT },
  ]);
}

/** Bytes of all routed experts of the main layers. */
export const expertBytes = (shape: ModelShape): number =>
  shape.layers.reduce((sum, layer) => (layer.draft === true ? sum : sum + layer.weights.experts), 0);

/** The shape with its experts as main memory holds them. */
export const hostShape = (shape: ModelShape, wishes: Wishes): ModelShape =>
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
