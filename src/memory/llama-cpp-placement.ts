import type { ModelShape } from "../models/model-shape.ts";
import type { DeviceRoom, EngineSettings } from "./memory-model.ts";

/** A place for tensors: the index of a card, or main memory. */
export type Place = number | "host";

/** Where llama.cpp puts the blocks and the output head. */
export interface Placement {
  readonly layers: readonly Place[];
  readonly output: Place;
}

/** Blocks and the output head: what `-ngl` and `--tensor-split` count. */
export const slotCount = (shape: ModelShape): number => shape.layers.length + 1;

/**
 * The rule: the last `gpuLayers` of all blocks and the head go to cards, the head first of all; which card is decided by
 * where the layer's position falls in the cumulated shares. llama.cpp computes in 32-bit floats, and so does this.
 * Shares are `tensorSplit`, else free memory. Source: load_tensors in llama-model.cpp.
 */
export function placeLayers(
  shape: ModelShape,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
): Placement {
  const slots = slotCount(shape);
  const onCards = devices.length === 0 ? 0 : Math.max(0, Math.min(settings.gpuLayers, slots));
  const first = slots - onCards;
  const bounds = splitBounds(settings.tensorSplit, devices);
  const place = (slot: number): Place => {
    if (slot < first) return "host";
    const position = Math.fround((slot - first) / onCards);
    const card = bounds.findIndex((bound) => bound > position);
    return card < 0 ? devices.length - 1 : card;
  };
  return { layers: shape.layers.map((_, index) => place(index)), output: place(slots - 1) };
}

function splitBounds(split: readonly number[] | undefined, devices: readonly DeviceRoom[]): number[] {
  const given = devices.map((_, index) => split?.[index] ?? 0);
  const shares = given.every((share) => share === 0) ? devices.map(({ free }) => free) : given;
  let sum = 0;
  const cumulated = shares.map((share) => (sum = Math.fround(sum + Math.fround(share))));
  return cumulated.map((bound) => Math.fround(bound / sum));
}

/** The same for cards in order that take so many slots each; `counts` adds up to the slots on cards. */
export function placeByCounts(shape: ModelShape, counts: readonly number[]): Placement {
  const slots = slotCount(shape);
  const onCards = counts.reduce((sum, count) => sum + count, 0);
  const places: Place[] = Array.from({ length: slots - onCards }, () => "host");
  for (const [card, count] of counts.entries()) places.push(...Array.from({ length: count }, () => card));
  return { layers: places.slice(0, -1), output: places[slots - 1] ?? "host" };
}
