import { attempt, attemptOnCards, type LlamaCppRoom } from "./llama-cpp-attempt.ts";
import { slotCount } from "./llama-cpp-placement.ts";
import type { EngineSettings, Wishes } from "./memory-model.ts";

/** A placement, and whether the model fits with it; one that does not is the nearest to fitting that was found. */
export interface ChosenPlacement {
  readonly settings: EngineSettings;
  readonly fits: boolean;
}

/**
 * The first placement, in the order of preference, in which the least settings fit: all of it on the cards; as few
 * layers of experts in main memory as it takes; all experts and as few whole layers there as it takes.
 */
export function choosePlacement(room: LlamaCppRoom, wishes: Wishes, least: EngineSettings): ChosenPlacement {
  if (attempt(room, least) !== undefined) return { settings: least, fits: true };
  if (room.devices.length === 0 || wishes.resident === true) return { settings: least, fits: false };
  const expertLayers = room.shape.layers.findLastIndex(({ weights }) => weights.experts > 0) + 1;
  if (expertLayers > 0 && wishes.cpuExpertLayers === undefined) {
    const found = smallestOnCards(room, 1, expertLayers, (cpuExpertLayers) => ({
      ...least,
      cpuExpertLayers,
    }));
    if (found !== undefined) return judged(room, found);
  }
  const cpuExpertLayers = wishes.cpuExpertLayers ?? expertLayers;
  if (wishes.gpuLayers !== undefined) return { settings: { ...least, cpuExpertLayers }, fits: false };
  const slots = slotCount(room.shape);
  const fewer = (away: number): EngineSettings => ({ ...least, cpuExpertLayers, gpuLayers: slots - away });
  return judged(room, smallestOnCards(room, 1, slots, fewer) ?? fewer(slots));
}

/** Each step takes more of main memory than the one before: what it does not allow for the first, it never does. */
const judged = (room: LlamaCppRoom, settings: EngineSettings): ChosenPlacement => ({
  settings,
  fits: attempt(room, settings) !== undefined,
});

/** The smallest step from `low` to `high` that the cards allow; each step takes less of them than the one before. */
function smallestOnCards(
  room: LlamaCppRoom,
  low: number,
  high: number,
  settings: (step: number) => EngineSettings,
): EngineSettings | undefined {
  if (attemptOnCards(room, settings(high)) === undefined) return undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (attemptOnCards(room, settings(middle)) === undefined) low = middle + 1;
    else high = middle;
  }
  return settings(high);
}
