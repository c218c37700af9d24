import { formatBytes, MIB, OmniError } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { cacheTokenBytes } from "./kv-bytes.ts";
import type { EngineSettings, Fit, FitRequest, MemoryModel, MemoryPrediction } from "./memory-model.ts";
import { deviceMemory, NO_MEMORY } from "./terms.ts";

/** A laptop's memory is better spent on the model than on a context nobody asked for. */
const DEFAULT_CONTEXT = 8192;
const SMALLEST_CONTEXT = 512;
const PARALLEL_CHOICES = [16, 8, 4, 2, 1];
/** Share of the memory left beside the weights that the KV cache may take when nobody says how many requests. */
const KV_SHARE = 1 / 8;
const CELL_PADDING = 256;
/** Tokens llama.cpp computes in one micro-batch; the compute buffer holds logits for each. */
const MICRO_BATCH = 512;
const BATCH = 2048;
const F32_BYTES = 4;
/** Node, the library and its graphs, measured as resident memory beside weights and KV cache of small models. */
const PROCESS_OVERHEAD = 192 * MIB;

/**
 * llama.cpp within Omni, on the processor: weights as in the file, KV cache as f16 for every request, one compute buffer
 * (logits and activations of one micro-batch, llama.cpp's graph reserve), the process. Cards are left alone.
 */
export const embedded: MemoryModel = {
  predict: (shape, settings, devices) => {
    if (shape === undefined)
      throw new OmniError("model.no-shape", "the embedded engine's memory follows from the model's file");
    return predictEmbedded(shape, settings, devices.length);
  },
  fit: fitEmbedded,
};

function fitEmbedded({ shape, wishes, devices, host }: FitRequest): Fit {
  if (shape === undefined)
    return {
      fits: false,
      code: "model.no-shape",
      reason: "the embedded engine's memory follows from the model's file, and there is none to read",
      hint: "Give the model's GGUF file.",
    };
  const room = host.free - fixedBytes(shape);
  const contextTokens = wishes.contextTokens ?? chooseContext(shape, room);
  const parallel = wishes.parallel ?? chooseParallel(requestBytes(shape, contextTokens), room);
  const settings = settingsFor(contextTokens, parallel, wishes.threads ?? host.threads);
  const prediction = predictEmbedded(shape, settings, devices.length);
  const memory = prediction.host;
  if (memory.total <= host.free) return { fits: true, prediction, resident: true };
  return {
    fits: false,
    code: "model.too-large",
    reason:
      `needs ${formatBytes(memory.total)} (weights ${formatBytes(memory.weights)}, KV cache ${formatBytes(memory.kvCache)} for ` +
      `${parallel} × ${contextTokens} tokens, compute ${formatBytes(memory.compute)}, process ${formatBytes(memory.overhead)}); ` +
      `this machine can give ${formatBytes(Math.max(0, host.free))}`,
    hint: advice(shape, room),
    prediction,
  };
}

function predictEmbedded(shape: ModelShape, settings: EngineSettings, cards: number): MemoryPrediction {
  const { contextTokens, parallel } = settings;
  const bytes = requestBytes(shape, contextTokens) * parallel;
  return {
    devices: Array.from({ length: cards }, () => NO_MEMORY),
    host: deviceMemory([
      { term: "weights", name: "weights", bytes: shape.weightBytes },
      { term: "kvCache", name: "KV cache", bytes },
      { term: "compute", name: "compute buffer", bytes: computeBytes(shape) },
      { term: "overhead", name: "process", bytes: PROCESS_OVERHEAD },
    ]),
    kv: {
      bytesPerToken: growingBytes(shape),
      bytes,
      tokens: contextTokens * parallel,
      concurrency: parallel,
      type: "f16",
    },
    settings,
  };
}

const settingsFor = (contextTokens: number, parallel: number, threads: number): EngineSettings => ({
  contextTokens,
  parallel,
  kvKeyType: "f16",
  kvValueType: "f16",
  kvOnHost: true,
  kvUnified: false,
  tensorParallel: 1,
  pipelineParallel: 1,
  gpuLayers: 0,
  cpuExpertLayers: 0,
  batchTokens: BATCH,
  microBatchTokens: MICRO_BATCH,
  flashAttention: true,
  cudaGraphs: false,
  threads,
});

function advice(shape: ModelShape, room: number): string {
  const growing = growingBytes(shape);
  const tokens =
    growing === 0
      ? 0
      : Math.floor((room - constantBytes(shape, DEFAULT_CONTEXT)) / growing / CELL_PADDING) * CELL_PADDING;
  if (room > 0 && tokens >= SMALLEST_CONTEXT)
    return `Ask for at most ${tokens} tokens over all parallel requests (context × parallel).`;
  return `Use a smaller quantization or model: the weights alone are ${formatBytes(shape.weightBytes)}.`;
}

function chooseContext(shape: ModelShape, room: number): number {
  let context = Math.min(shape.trainedContext || DEFAULT_CONTEXT, DEFAULT_CONTEXT);
  while (context > SMALLEST_CONTEXT && requestBytes(shape, context) > room) context = Math.floor(context / 2);
  return context;
}

const chooseParallel = (perRequest: number, room: number): number =>
  PARALLEL_CHOICES.find((parallel) => perRequest * parallel <= room * KV_SHARE) ?? 1;

const padded = (tokens: number): number => Math.ceil(tokens / CELL_PADDING) * CELL_PADDING;

/** Bytes of one request's cache: what grows by tokens, in whole paddings, and what does not. */
const requestBytes = (shape: ModelShape, contextTokens: number): number =>
  growingBytes(shape) * padded(contextTokens) + constantBytes(shape, contextTokens);

/** Bytes that each token takes in layers that see the whole context. */
const growingBytes = (shape: ModelShape): number =>
  shape.layers
    .flatMap((layer) => layer.caches)
    .reduce((sum, cache) => (cache.kind === "window" ? sum : sum + cacheTokenBytes(cache, "f16", "f16")), 0);

/** Bytes of a request's windows, which hold no more than themselves and a micro-batch, and of its states in f32. */
function constantBytes(shape: ModelShape, contextTokens: number): number {
  let bytes = 0;
  for (const { caches } of shape.layers)
    for (const cache of caches) {
      if (cache.kind === "state") bytes += (cache.convolution + cache.recurrent) * F32_BYTES;
      else if (cache.kind === "window")
        bytes +=
          cacheTokenBytes(cache, "f16", "f16") * padded(Math.min(contextTokens, cache.window + MICRO_BATCH));
    }
  return bytes;
}

const computeBytes = (shape: ModelShape): number =>
  (shape.vocabulary + 4 * shape.hidden) * MICRO_BATCH * F32_BYTES;

const fixedBytes = (shape: ModelShape): number => shape.weightBytes + computeBytes(shape) + PROCESS_OVERHEAD;
