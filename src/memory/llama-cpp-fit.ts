import type { ModelShape } from "../models/model-shape.ts";
import { attempt, demand, largestContext, type LlamaCppRoom } from "./llama-cpp-attempt.ts";
import { isLlamaCppCacheType, isQuantizedCacheType } from "./llama-cpp-cache-types.ts";
import { choosePlacement } from "./llama-cpp-choose-placement.ts";
import { CELL_PADDING } from "./llama-cpp-context.ts";
import { slotCount } from "./llama-cpp-placement.ts";
import type { LlamaCppProgram } from "./llama-cpp-predict.ts";
import { refuse } from "./llama-cpp-refusal.ts";
import type { EngineSettings, Fit, FitRequest, MemoryPrediction, Wishes } from "./memory-model.ts";
import { wishedSettings } from "./wished-settings.ts";

/** Below this a context is of little use for chat; chosen only when asked for or when the model has no more. */
const LEAST_CONTEXT = 4096;
/** Slots with a cache of their own are preferred while each has this many tokens. */
const COMFORTABLE_CONTEXT = 16_384;
/** As llama-server does by itself. */
const PARALLEL = [4, 3, 2, 1];
const BATCH_TOKENS = 2048;
const MICRO_BATCH_TOKENS = 512;

/**
 * The largest context and concurrency that fit. The order of preference: everything on the cards; else as few experts in
 * main memory as it takes (mixture of experts), or as few layers (dense). Within that as many parallel requests as still
 * leave each a useful context, then as much context as fits.
 */
export function fitLlamaCpp(program: LlamaCppProgram, request: FitRequest): Fit {
  const { shape, wishes, devices, host } = request;
  if (shape === undefined) {
    return {
      fits: false,
      code: "model.no-shape",
      reason: "nothing tells how large the model's tensors and caches are",
      hint: "give the model's file, a known family, or its shape",
    };
  }
  const impossible = impossibleCache(wishes);
  if (impossible !== undefined) return impossible;
  const room: LlamaCppRoom = { program, shape, devices, host, tensorSplit: wishes.tensorSplit };
  const least = leastSettings(shape, wishes, request);
  const placed = choosePlacement(room, wishes, least);
  if (!placed.fits) return refuse(room, wishes, demand(room, placed.settings), least);
  const prediction = chooseConcurrency(room, wishes, placed.settings);
  return { fits: true, prediction, resident: isResident(shape, devices.length, prediction.settings) };
}

/** Refuses types of the cache that llama.cpp does not have, or not together with the rest. */
function impossibleCache({
  kvKeyType = "f16",
  kvValueType = "f16",
  flashAttention,
}: Wishes): Fit | undefined {
  const unknown = [kvKeyType, kvValueType].find((type) => !isLlamaCppCacheType(type));
  if (unknown !== undefined) {
    return {
      fits: false,
      code: "spec.bad-value",
      reason: `llama.cpp cannot keep its KV cache in ${unknown}`,
      hint: "use f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 or iq4_nl",
    };
  }
  if (flashAttention !== false || !isQuantizedCacheType(kvValueType)) return undefined;
  return {
    fits: false,
    code: "spec.conflict",
    reason: `values in ${kvValueType} need flash attention, which is off`,
    hint: "leave flash attention on, or keep values in f16",
  };
}

/** All weights but the embedding's rows on cards; without cards main memory is where they are meant to be. */
function isResident(shape: ModelShape, cards: number, settings: EngineSettings): boolean {
  const expertsAway = shape.layers.some(
    ({ weights }, index) => index < settings.cpuExpertLayers && weights.experts > 0,
  );
  return (
    cards === 0 ||
    (settings.gpuLayers >= slotCount(shape) && !expertsAway && (settings.cpuTensors?.length ?? 0) === 0)
  );
}

/** The settings that take least: one request with the smallest context that is allowed, all of it on the cards. */
function leastSettings(shape: ModelShape, wishes: Wishes, { devices, host }: FitRequest): EngineSettings {
  const batchTokens = wishes.batchTokens ?? BATCH_TOKENS;
  return {
    kvKeyType: "f16",
    kvValueType: "f16",
    kvOnHost: false,
    tensorParallel: 1,
    pipelineParallel: 1,
    cpuExpertLayers: 0,
    microBatchTokens: Math.min(batchTokens, MICRO_BATCH_TOKENS),
    flashAttention: true,
    cudaGraphs: devices.length > 0,
    threads: host.threads,
    kvUnified: (wishes.parallel ?? 1) > 1,
    parallel: 1,
    contextTokens: Math.min(LEAST_CONTEXT, shape.trainedContext || LEAST_CONTEXT),
    ...wishedSettings(wishes),
    batchTokens,
    gpuLayers: devices.length === 0 ? 0 : Math.min(wishes.gpuLayers ?? slotCount(shape), slotCount(shape)),
  };
}

/** Requests with a whole cache each that are tried before they share one. */
const WHOLE_CACHES = [4, 3, 2];

/** Raises parallel requests, then context, within the wishes. `placed` fits. */
function chooseConcurrency(room: LlamaCppRoom, wishes: Wishes, placed: EngineSettings): MemoryPrediction {
  const least = placed.contextTokens;
  const most = wishes.contextTokens ?? Math.max(least, roundedContext(room.shape.trainedContext));
  const parallel = wishes.parallel === undefined ? PARALLEL : [wishes.parallel];
  const enough = Math.min(most, Math.max(least, COMFORTABLE_CONTEXT));
  const at = (requests: number, kvUnified: boolean): EngineSettings => ({
    ...placed,
    parallel: requests,
    kvUnified,
  });
  if (wishes.kvUnified !== true) {
    // Two requests with the whole context each are worth more than four that share one.
    for (const requests of wishes.parallel === undefined ? WHOLE_CACHES : parallel) {
      const whole = attempt(room, { ...at(requests, false), contextTokens: most });
      if (whole !== undefined) return whole;
    }
  }
  for (const requests of parallel) {
    const unified = wishes.kvUnified ?? requests > 1;
    const from = unified || wishes.parallel !== undefined ? least : enough;
    const found = largestContext(room, at(requests, unified), requests === 1 ? least : from, most);
    if (found !== undefined) return found;
  }
  return demand(room, placed);
}

/** The trained context as far as whole steps of the cache fill it. */
const roundedContext = (tokens: number): number =>
  tokens < CELL_PADDING ? tokens : Math.floor(tokens / CELL_PADDING) * CELL_PADDING;
