import { GIB, MIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { ComputeBuffers } from "./llama-cpp-compute.ts";
import { type LlamaCppContext, llamaCppContext, type ReservedOutputs } from "./llama-cpp-context.ts";
import {
  bytesPerToken,
  cacheTotal,
  type LayerCacheBytes,
  layerCacheBytes,
  NO_CACHE,
  paddedValue,
} from "./llama-cpp-kv-cache.ts";
import { offloadedWeights } from "./llama-cpp-offload.ts";
import { type Place, placeLayers, type Placement } from "./llama-cpp-placement.ts";
import { cardShare, expertsStay, hostShare, isCuda } from "./llama-cpp-shares.ts";
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
  /** Whether it rearranges weights in main memory for the processor (not with `--no-repack`). */
  readonly repacks?: boolean;
  /** Main memory of the process itself. */
  readonly process: number;
  /** Main memory of the CUDA libraries in it, when there is a CUDA card. */
  readonly cudaProcess: number;
}

/** CUDA context with its loaded kernels. Ollama reserves at least 457 MiB a card; measured values are 0.45 to 0.6 GiB. */
const CUDA_CONTEXT = 480 * MIB;
/** Workspace of cuBLAS for one handle on cards of Hopper and later; smaller cards take less. */
const CUBLAS_WORKSPACE = 32 * MIB;
/** Graph of a projector for images, on top of its weights (mmprojOffloadHeadroom of Ollama, llm/llama_server.go). */
const PROJECTOR_GRAPH = GIB;
const F32 = 4;

/** A model under its settings on its cards, and what was derived from them. */
interface Case {
  readonly shape: ModelShape;
  readonly settings: EngineSettings;
  readonly devices: readonly DeviceRoom[];
  readonly placement: Placement;
  readonly context: LlamaCppContext;
  readonly buffers: ComputeBuffers;
}

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
  const all: Case = { shape, settings, devices, placement, context, buffers };
  const weights = placeWeights(
    shape,
    settings,
    placement,
    devices.length,
    program.repacks === true && !devices.some(isCuda),
  );
  const widest = paddedValue(shape.layers, settings);
  const caches = shape.layers.map((layer) => layerCacheBytes(layer, context, settings, widest));
  const cacheAt = (place: Place): LayerCacheBytes => sumCaches(caches, settings, placement, place);
  const tokens = context.cells * context.streams;
  return {
    devices: devices.map((_, card) => cardMemory(all, card, weights.devices[card], cacheAt(card))),
    host: hostMemory(all, program, weights.host, cacheAt("host")),
    kv: {
      bytesPerToken: bytesPerToken(shape.layers, settings),
      bytes: caches.reduce((sum, cache) => sum + cacheTotal(cache), 0),
      tokens,
      concurrency: tokens / Math.max(1, settings.contextTokens),
      type: cacheTypeName(settings),
    },
    settings,
  };
}

/** Bytes that a card loses to the CUDA context and libraries; none on a card that is no CUDA card. */
export const cudaBytes = (device: DeviceRoom | undefined): number =>
  isCuda(device) ? CUDA_CONTEXT + CUBLAS_WORKSPACE : 0;

/** Bytes of a projector for images with its graph: on the first card, in main memory when there is none. */
export const projectorBytes = ({ projectorBytes: weights }: ModelShape): number =>
  weights > 0 ? weights + PROJECTOR_GRAPH : 0;

const projectorParts = (shape: ModelShape, here: boolean): MemoryPart[] =>
  here && shape.projectorBytes > 0
    ? [
        { term: "weights", name: "projector", bytes: shape.projectorBytes },
        { term: "compute", name: "projector's graph", bytes: PROJECTOR_GRAPH },
      ]
    : [];

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

const blocksAt = ({ shape, placement }: Case, place: Place): number[] =>
  shape.layers.flatMap((_, index) => (placement.layers[index] === place ? [index] : []));

function cardMemory(
  all: Case,
  card: number,
  weights: PlacedWeights | undefined,
  cache: LayerCacheBytes,
): DeviceMemory {
  const { shape, settings, devices, placement, buffers } = all;
  const cuda = isCuda(devices[card]);
  const share = cardShare(shape, settings, devices, {
    card,
    blocks: blocksAt(all, card),
    output: placement.output === card,
    handedOver: placement.layers.some((other) => typeof other === "number" && other < card),
  });
  const onHost = (block: number): boolean => placement.layers[block] === "host";
  return memoryOf([
    ...weightParts(weights),
    ...projectorParts(shape, card === 0),
    ...cacheParts(cache),
    { term: "compute", name: "compute buffer", bytes: buffers.card(share) },
    {
      term: "compute",
      name: "copies of weights from main memory",
      bytes: cuda && card === 0 ? offloadedWeights(shape, settings, onHost) : 0,
    },
    { term: "overhead", name: "CUDA context", bytes: cuda ? CUDA_CONTEXT : 0 },
    { term: "overhead", name: "cuBLAS workspace", bytes: cuda ? CUBLAS_WORKSPACE : 0 },
  ]);
}

function hostMemory(
  all: Case,
  program: LlamaCppProgram,
  weights: PlacedWeights,
  cache: LayerCacheBytes,
): DeviceMemory {
  const { shape, settings, devices, placement, context, buffers } = all;
  const share = hostShare(shape, settings, devices, blocksAt(all, "host"), placement.output === "host");
  const away = shape.layers.findLastIndex(
    (_, index) => placement.layers[index] !== "host" && expertsStay(shape, settings, index),
  );
  return memoryOf([
    ...weightParts(weights),
    ...projectorParts(shape, devices.length === 0),
    ...cacheParts(cache),
    { term: "compute", name: "compute buffer", bytes: buffers.host(share, away < 0 ? undefined : away) },
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
  const [weights, kvCache, compute, overhead] = [
    sum("weights"),
    sum("kvCache"),
    sum("compute"),
    sum("overhead"),
  ];
  return { weights, kvCache, compute, overhead, total: weights + kvCache + compute + overhead, parts };
}
