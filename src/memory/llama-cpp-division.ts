import type { ModelShape } from "../models/model-shape.ts";
import { ComputeBuffers } from "./llama-cpp-compute.ts";
import type { ComputeShare } from "./llama-cpp-graph-model.ts";
import { llamaCppContext } from "./llama-cpp-context.ts";
import { cacheTotal, layerCacheBytes, paddedValue } from "./llama-cpp-kv-cache.ts";
import { slotCount } from "./llama-cpp-placement.ts";
import { offloadedWeights } from "./llama-cpp-offload.ts";
import { cudaBytes, type LlamaCppProgram, projectorBytes } from "./llama-cpp-predict.ts";
import { cardShare, isCuda } from "./llama-cpp-shares.ts";
import type { SplitProblem } from "./llama-cpp-split.ts";
import { blockPlacements, endWeights } from "./llama-cpp-weights.ts";
import type { DeviceRoom, EngineSettings } from "./memory-model.ts";

/**
 * The question which card takes how many layers, as sums over slots: block `i` is slot `i` of the last `gpuLayers` slots,
 * the output head the very last.
 */
export function splitProblem(
  program: LlamaCppProgram,
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
  known?: ComputeBuffers,
): SplitProblem {
  const context = llamaCppContext(settings, program.outputs);
  const buffers = known ?? new ComputeBuffers(shape, settings, context);
  const total = slotCount(shape);
  const slots = Math.max(0, Math.min(settings.gpuLayers, total));
  const first = total - slots;
  const sums = prefixSums(slotBytes(shape, settings, context));
  const offloaded = offloadedWeights(shape, settings, (block) => block < first);
  const share = (card: number, from: number, to: number): ComputeShare =>
    cardShare(shape, settings, devices, {
      card,
      blocks: range(first + from, Math.min(first + to, total - 1)),
      output: to === slots && from < to,
      handedOver: card > 0 && from > 0,
    });
  const bytes = (card: number, from: number, to: number): number =>
    (sums[first + to] ?? 0) -
    (sums[first + from] ?? 0) +
    buffers.card(share(card, from, to)) +
    (card === 0 ? projectorBytes(shape) : 0) +
    (card === 0 && isCuda(devices[0]) ? offloaded : 0) +
    cudaBytes(devices[card]);
  // A search over divisions asks again and again about the same part.
  const asked = new Map<number, number>();
  return {
    slots,
    capacities: devices.map(({ free }) => free),
    bytes: (card, from, to) => {
      const key = (card * (slots + 1) + from) * (slots + 1) + to;
      const before = asked.get(key) ?? bytes(card, from, to);
      asked.set(key, before);
      return before;
    },
  };
}

/** Weights and caches of every slot where it is on a card. */
function slotBytes(
  shape: ModelShape,
  settings: EngineSettings,
  context: ReturnType<typeof llamaCppContext>,
): number[] {
  const ends = endWeights(shape, true);
  const widest = paddedValue(shape.layers, settings);
  const blocks = blockPlacements(shape, settings).map(({ layers, experts }, index) => {
    const layer = shape.layers[index];
    const cache =
      layer === undefined || settings.kvOnHost
        ? 0
        : cacheTotal(layerCacheBytes(layer, context, settings, widest));
    return layers + experts + cache + (index === 0 ? ends.first : 0);
  });
  return [...blocks, ends.output];
}

function prefixSums(values: readonly number[]): number[] {
  const sums = [0];
  let sum = 0;
  for (const value of values) sums.push((sum += value));
  return sums;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
