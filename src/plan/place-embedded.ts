import { formatBytes, MIB } from "../core/index.ts";
import type { ModelOutline } from "../models/index.ts";
import type { MemoryTerms } from "./plan.ts";

/** What an embedded service asks for; what is `undefined` is the planner's to choose. */
export interface EmbeddedDemand {
  readonly outline: ModelOutline;
  readonly contextTokens: number | undefined;
  readonly parallel: number | undefined;
}

export interface EmbeddedFit {
  readonly contextTokens: number;
  readonly parallel: number;
  readonly memory: MemoryTerms;
}

export type EmbeddedPlacement =
  | { readonly fits: true; readonly fit: EmbeddedFit }
  | { readonly fits: false; readonly reason: string; readonly hint: string };

/** A laptop's memory is better spent on the model than on a context nobody asked for. */
const DEFAULT_CONTEXT = 8192;
const SMALLEST_CONTEXT = 512;
const PARALLEL_CHOICES = [16, 8, 4, 2, 1];
/** Share of the memory left beside the weights that the KV cache may take when nobody says how many requests. */
const KV_SHARE = 1 / 8;
const CELL_PADDING = 256;
/** Tokens llama.cpp computes in one micro-batch; the compute buffer holds logits for each. */
const MICRO_BATCH = 512;
const F32_BYTES = 4;
/** Node, the library and its graphs, measured as resident memory beside weights and KV cache of small models. */
const PROCESS_OVERHEAD = 192 * MIB;
/**
 * Finds context and parallel requests for a model in main memory, or says with numbers why none fit.
 * `available` and `headroom` are bytes. Terms: weights as in the file, KV cache as f16 for every slot, one compute buffer.
 * Source of the compute term: logits and activations of one micro-batch, llama.cpp's graph reserve.
 */
export function placeEmbedded(
  demand: EmbeddedDemand,
  available: number,
  headroom: number,
): EmbeddedPlacement {
  const { outline } = demand;
  const capacity = available - headroom;
  const fixed = outline.weightBytes + computeBytes(outline) + PROCESS_OVERHEAD;
  const contextTokens = demand.contextTokens ?? chooseContext(outline, capacity - fixed);
  const perRequest = kvBytes(outline, contextTokens, 1);
  const parallel = demand.parallel ?? chooseParallel(perRequest, capacity - fixed);
  const memory = terms(outline, perRequest * parallel, available);
  if (memory.total <= capacity) return { fits: true, fit: { contextTokens, parallel, memory } };
  return {
    fits: false,
    reason:
      `needs ${formatBytes(memory.total)} (weights ${formatBytes(memory.weights)}, KV cache ${formatBytes(memory.kvCache)} for ` +
      `${parallel} × ${contextTokens} tokens, compute ${formatBytes(memory.compute)}, process ${formatBytes(memory.overhead)}); ` +
      `this machine can give ${formatBytes(Math.max(0, capacity))} (${formatBytes(available)} available, ${formatBytes(headroom)} kept free)`,
    hint: advice(outline, capacity - fixed),
  };
}

function advice(outline: ModelOutline, room: number): string {
  const tokens =
    outline.kvBytesPerToken === 0
      ? 0
      : Math.floor(room / outline.kvBytesPerToken / CELL_PADDING) * CELL_PADDING;
  if (room > 0 && tokens >= SMALLEST_CONTEXT)
    return `Ask for at most ${tokens} tokens over all parallel requests (context × parallel).`;
  return `Use a smaller quantization or model: the weights alone are ${formatBytes(outline.weightBytes)}.`;
}

function chooseContext(outline: ModelOutline, room: number): number {
  const wish = Math.min(outline.trainedContext || DEFAULT_CONTEXT, DEFAULT_CONTEXT);
  let context = wish;
  while (context > SMALLEST_CONTEXT && kvBytes(outline, context, 1) > room) context = Math.floor(context / 2);
  return context;
}

const chooseParallel = (perRequest: number, room: number): number =>
  PARALLEL_CHOICES.find((parallel) => perRequest * parallel <= room * KV_SHARE) ?? 1;

const kvBytes = (outline: ModelOutline, contextTokens: number, parallel: number): number =>
  outline.kvBytesPerToken * Math.ceil(contextTokens / CELL_PADDING) * CELL_PADDING * parallel;

const computeBytes = (outline: ModelOutline): number =>
  (outline.vocabulary + 4 * outline.embeddingLength) * MICRO_BATCH * F32_BYTES;

function terms(outline: ModelOutline, kvCache: number, available: number): MemoryTerms {
  const weights = outline.weightBytes;
  const compute = computeBytes(outline);
  const total = weights + kvCache + compute + PROCESS_OVERHEAD;
  return { device: "cpu", weights, kvCache, compute, overhead: PROCESS_OVERHEAD, total, capacity: available };
}
