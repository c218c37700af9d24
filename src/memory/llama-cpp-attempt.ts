import type { ModelShape } from "../models/model-shape.ts";
import { ComputeBuffers } from "./llama-cpp-compute.ts";
import { CELL_PADDING, llamaCppContext } from "./llama-cpp-context.ts";
import { splitProblem } from "./llama-cpp-division.ts";
import { placeByCounts, placeLayers, slotCount } from "./llama-cpp-placement.ts";
import { type LlamaCppProgram, predictPlaced } from "./llama-cpp-predict.ts";
import { balancedSplit, leastOverfullSplit } from "./llama-cpp-split.ts";
import type { DeviceRoom, EngineSettings, HostRoom, MemoryPrediction } from "./memory-model.ts";

/** The model and the room it is to fit into. */
export interface LlamaCppRoom {
  readonly program: LlamaCppProgram;
  readonly shape: ModelShape;
  readonly devices: readonly DeviceRoom[];
  readonly host: HostRoom;
  /** A split that the owner asked for. */
  readonly tensorSplit: readonly number[] | undefined;
}

/** The prediction for these settings with the most even division over the cards, when that fits cards and main memory. */
export function attempt(room: LlamaCppRoom, settings: EngineSettings): MemoryPrediction | undefined {
  const prediction = attemptOnCards(room, settings);
  return prediction === undefined || prediction.host.total > room.host.free ? undefined : prediction;
}

/** The same with main memory as large as it takes. */
export function attemptOnCards(room: LlamaCppRoom, settings: EngineSettings): MemoryPrediction | undefined {
  const prediction = divided(room, settings, balancedSplit);
  if (prediction === undefined) return undefined;
  const fits = room.devices.every(({ free }, index) => (prediction.devices[index]?.total ?? 0) <= free);
  return fits ? prediction : undefined;
}

/** The prediction for these settings whether it fits or not, divided so that the fullest card is as little over as can be. */
export const demand = (room: LlamaCppRoom, settings: EngineSettings): MemoryPrediction =>
  divided(room, settings, leastOverfullSplit) ??
  predictPlaced(
    room.program,
    room.shape,
    settings,
    room.devices,
    placeLayers(room.shape, settings, room.devices),
  );

function divided(
  room: LlamaCppRoom,
  settings: EngineSettings,
  split: typeof balancedSplit,
): MemoryPrediction | undefined {
  const { program, shape, devices, tensorSplit } = room;
  const buffers = new ComputeBuffers(shape, settings, llamaCppContext(settings, program.outputs));
  const layers = Math.max(0, Math.min(settings.gpuLayers, slotCount(shape)));
  if (devices.length < 2 || tensorSplit !== undefined || layers === 0) {
    const asked = tensorSplit === undefined ? settings : { ...settings, tensorSplit };
    return predictPlaced(program, shape, asked, devices, placeLayers(shape, asked, devices), buffers);
  }
  const counts = split(splitProblem(program, shape, settings, devices, buffers));
  if (counts === undefined) return undefined;
  const chosen = { ...settings, tensorSplit: counts };
  return predictPlaced(program, shape, chosen, devices, placeByCounts(shape, counts), buffers);
}

/**
 * The largest context from `least` to `most` tokens for which the settings fit; `undefined` when not even `least` does.
 * A larger context never takes less, so that halving finds it.
 */
export function largestContext(
  room: LlamaCppRoom,
  settings: EngineSettings,
  least: number,
  most: number,
): MemoryPrediction | undefined {
  const at = (contextTokens: number): MemoryPrediction | undefined =>
    attempt(room, { ...settings, contextTokens });
  const all = at(most);
  if (all !== undefined) return all;
  let best = at(least);
  if (best === undefined) return undefined;
  let low = Math.floor(least / CELL_PADDING);
  let high = Math.ceil(most / CELL_PADDING) - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const found = at(Math.max(least, middle * CELL_PADDING));
    if (found === undefined) high = middle - 1;
    else {
      best = found;
      low = middle;
    }
  }
  return best;
}
