import { MIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { ComputeBuffers } from "./llama-cpp-compute.ts";
import type { ComputeShare } from "./llama-cpp-share-graph.ts";
import { type LlamaCppContext, llamaCppContext, type ReservedOutputs } from "./llama-cpp-context.ts";
import {
  bytesPerToken,
  cacheTotal,
  type LayerCacheBytes,
  layerCacheBytes,
  NO_CACHE,
  paddedValue,
} from "./llama-cpp-kv-cache.ts";
import { type Place, placeLayers, type Placement, slotCount } from "./llama-cpp-placement.ts";
import { type PlacedWeights, placeWeights } from "./llama-cpp-weights.ts";
import type {
  DeviceMemory,
  DeviceRoom,
  EngineSettings,
  MemoryPart,
  MemoryPrediction,
} from "./memory-model.ts";

/** What the programs over llama.cpp differ in. Bytes. */
export interface LlamaCppProgram {
  readonly outputs: ReservedOutputs;
  /** Main memory of the process itself. */
  readonly process: number;
  /** Main memory of the CUDA libraries in it, when there is a CUDA card. */
  readonly cudaProcess: number;
}

/** CUDA context with its loaded kernels. Ollama reserves at least 457 MiB a card; measured values are 0.45 to 0.6 GiB. */
const CUDA_CONTEXT = 480 * MIB;
/** Workspace of cuBLAS for one handle on cards of Hopper and later; smaller cards take less. */
const CUBLAS_WORKSPACE = 32 * MIB;
/** Graph copies that work on successive batches at once (GGML_SCHED_MAX_COPIES). */
const PIPELINE_COPIES = 4;
const F32 = 4;

/** Predicts with the layers placed by llama.cpp's own rule. */
export function predictLlamaCpp(
  program: LlamaCppProgram,
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
): MemoryPrediction {
  return predictPlaced(program, shape, settings, devices, placeLayers(shape, settings, devices));
}

/** The same with the layers where `placement` says. */
export function predictPlaced(
  program: LlamaCppProgram,
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
  placement: Placement,
  known?: ComputeBuffers,
): MemoryPrediction {
  const context = llamaCppContext(settings, program.outputs);
  const buffers = known ?? new ComputeBuffers(shape, settings, context);
  const weights = placeWeights(shape, settings, placement, devices.length);
  const widest = paddedValue(shape.layers, settings);
  const caches = shape.layers.map((layer) => layerCacheBytes(layer, context, settings, widest));
  const cacheAt = (place: Place): LayerCacheBytes => sumCaches(caches, settings, placement, place);
  const copies = pipelineCopies(shape, settings, devices);
  const cards = devices.map((device, index) =>
    cardMemory({
      weights: weights.devices[index],
      cache: cacheAt(index),
      compute: buffers.card(shareOf(shape, settings, placement, index, device, copies)),
      offloaded:
        index === 0 && isCuda(device)
          ? offloadedScratch(shape, settings, (block) => placement.layers[block] === "host")
          : 0,
      device,
    }),
  );
  const all = caches.reduce((sum, cache) => sum + cacheTotal(cache), 0);
  const tokens = context.cells * context.streams;
  return {
    devices: cards,
    host: hostMemory(program, shape, settings, devices, placement, context, buffers, copies, {
      weights: weights.host,
      cache: cacheAt("host"),
    }),
    kv: {
      bytesPerToken: bytesPerToken(shape.layers, settings),
      bytes: all,
      tokens,
      concurrency: tokens / Math.max(1, settings.contextTokens),
      type: cacheTypeName(settings),
    },
    settings,
  };
}

export const isCuda = (device: DeviceRoom | undefined): boolean => device?.computeCapability !== undefined;

/** Bytes that a card loses to the CUDA context and libraries; none on a card that is no CUDA card. */
export const cudaBytes = (device: DeviceRoom | undefined): number =>
  isCuda(device) ? CUDA_CONTEXT + CUBLAS_WORKSPACE : 0;

const cacheTypeName = ({ kvKeyType, kvValueType }: EngineSettings): string =>
  kvKeyType === kvValueType ? kvKeyType : `${kvKeyType}/${kvValueType}`;

function sumCaches(
  caches: readonly LayerCacheBytes[],
  settings: EngineSettings,
  placement: Placement,
  place: Place,
): LayerCacheBytes {
  return caches.reduce((sum, cache, index) => {
    const at = settings.kvOnHost ? "host" : (placement.layers[index] ?? "host");
    return at === place ? addCaches(sum, cache) : sum;
  }, NO_CACHE);
}

const addCaches = (a: LayerCacheBytes, b: LayerCacheBytes): LayerCacheBytes => ({
  full: a.full + b.full,
  window: a.window + b.window,
  indexer: a.indexer + b.indexer,
  state: a.state + b.state,
});

/**
 * Several cards that hold the whole model work on successive batches at the same time, with a copy of the inputs for
 * each. Source: the constructor of llama_context.
 */
export function pipelineCopies(
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
): number {
  const overridden = settings.cpuExpertLayers > 0 || (settings.cpuTensors?.length ?? 0) > 0;
  const whole = settings.gpuLayers >= slotCount(shape);
  const parallel = devices.length > 1 && whole && !settings.kvOnHost && !overridden;
  return parallel ? PIPELINE_COPIES : 1;
}

function shareOf(
  shape: ModelShape,
  settings: EngineSettings,
  placement: Placement,
  place: Place,
  device: DeviceRoom | undefined,
  copies: number,
): ComputeShare {
  return {
    blocks: shape.layers.flatMap((_, index) => (placement.layers[index] === place ? [index] : [])),
    expertsAway: (block) =>
      place !== "host" && block < settings.cpuExpertLayers && (shape.layers[block]?.weights.experts ?? 0) > 0,
    output: placement.output === place,
    cuda: isCuda(device),
    copies,
    handedOver:
      typeof place === "number" &&
      placement.layers.some((other) => typeof other === "number" && other < place),
  };
}

/**
 * Prompts are computed on the first CUDA card even where weights stay in main memory: one such tensor at a time is
 * copied there. Source: ggml_backend_sched_backend_id_from_cur (op_offload) in ggml-backend.cpp.
 */
export function offloadedScratch(
  shape: ModelShape,
  settings: EngineSettings,
  onHost: (block: number) => boolean,
): number {
  const largest = shape.layers.map(({ weights, draft }, index) => {
    if (draft === true) return 0;
    // Experts are three stacks of about the same size; the largest dense matrix is a third of the feed-forward part.
    const experts = index < settings.cpuExpertLayers || onHost(index) ? weights.experts : 0;
    return Math.max(experts, onHost(index) ? weights.feedForward : 0) / 3;
  });
  return Math.ceil(largest.reduce((most, bytes) => Math.max(most, bytes), 0));
}

interface CardTerms {
  readonly weights: PlacedWeights | undefined;
  readonly cache: LayerCacheBytes;
  readonly compute: number;
  readonly offloaded: number;
  readonly device: DeviceRoom;
}

function cardMemory({ weights, cache, compute, offloaded, device }: CardTerms): DeviceMemory {
  const cuda = isCuda(device);
  return memoryOf([
    ...weightParts(weights),
    ...cacheParts(cache),
    { term: "compute", name: "compute buffer", bytes: compute },
    { term: "compute", name: "copies of weights from main memory", bytes: offloaded },
    { term: "overhead", name: "CUDA context", bytes: cuda ? CUDA_CONTEXT : 0 },
    { term: "overhead", name: "cuBLAS workspace", bytes: cuda ? CUBLAS_WORKSPACE : 0 },
  ]);
}

function hostMemory(
  program: LlamaCppProgram,
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
  placement: Placement,
  context: LlamaCppContext,
  buffers: ComputeBuffers,
  copies: number,
  terms: { readonly weights: PlacedWeights; readonly cache: LayerCacheBytes },
): DeviceMemory {
  const share = shareOf(shape, settings, placement, "host", undefined, copies);
  const away = shape.layers.flatMap((layer, index) =>
    placement.layers[index] !== "host" && index < settings.cpuExpertLayers && layer.weights.experts > 0
      ? [index]
      : [],
  );
  return memoryOf([
    ...weightParts(terms.weights),
    ...cacheParts(terms.cache),
    { term: "compute", name: "compute buffer", bytes: buffers.host(share, away) },
    { term: "compute", name: "output buffer", bytes: context.sequences * shape.vocabulary * F32 },
    { term: "overhead", name: "process", bytes: program.process },
    { term: "overhead", name: "CUDA libraries", bytes: devices.some(isCuda) ? program.cudaProcess : 0 },
  ]);
}

const weightParts = (weights: PlacedWeights | undefined): MemoryPart[] => [
  { term: "weights", name: "embedding", bytes: weights?.embedding ?? 0 },
  { term: "weights", name: "layers", bytes: weights?.layers ?? 0 },
  { term: "weights", name: "experts", bytes: weights?.experts ?? 0 },
  { term: "weights", name: "output head", bytes: weights?.output ?? 0 },
];

const cacheParts = (cache: LayerCacheBytes): MemoryPart[] => [
  { term: "kvCache", name: "KV cache", bytes: cache.full },
  { term: "kvCache", name: "KV cache, sliding window", bytes: cache.window },
  { term: "kvCache", name: "indexer keys", bytes: cache.indexer },
  { term: "kvCache", name: "recurrent state", bytes: cache.state },
];

function memoryOf(all: readonly MemoryPart[]): DeviceMemory {
  const parts = all.filter(({ bytes }) => bytes > 0);
  const sum = (term: MemoryPart["term"]): number =>
    parts.reduce((total, part) => total + (part.term === term ? part.bytes : 0), 0);
  const terms = {
    weights: sum("weights"),
    kvCache: sum("kvCache"),
    compute: sum("compute"),
    overhead: sum("overhead"),
  };
  return { ...terms, total: terms.weights + terms.kvCache + terms.compute + terms.overhead, parts };
}
