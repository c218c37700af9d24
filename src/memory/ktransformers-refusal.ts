import { formatBytes, formatCount } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { expertBytes, hostShape, rankMemory } from "./ktransformers-split.ts";
import type { DeviceRoom, Fit, MemoryPrediction, Wishes } from "./memory-model.ts";
import { rescaleShape } from "./rescale-shape.ts";
import { deviceMemory } from "./terms.ts";

type Refusal = Extract<Fit, { fits: false }>;

/** A refusal in the name of KTransformers. */
export const refuse = (code: Refusal["code"], reason: string, hint: string): Refusal => ({
  fits: false,
  code,
  reason: `KTransformers ${reason}`,
  hint,
});

/** The cards are too small for everything but the experts: the arithmetic, and whether four bits would do. */
export function refuseCard(
  bare: MemoryPrediction,
  devices: readonly DeviceRoom[],
  shape: ModelShape,
  wishes: Wishes,
  hostFree: number,
): Fit {
  const card = devices.reduce((least, each) => (each.free < least.free ? each : least));
  const needs = bare.devices[0] ?? deviceMemory([]);
  const { contextTokens, parallel } = bare.settings;
  const smaller = rescaleShape(shape, "w4a16");
  const total =
    smaller === undefined ? Number.POSITIVE_INFINITY : rankMemory(smaller, bare.settings, wishes).total;
  const fits = total <= card.free && expertBytes(hostShape(shape, wishes)) <= hostFree;
  return {
    ...refuse(
      "does-not-fit",
      `needs ${formatBytes(needs.total)} a card with all experts in main memory (weights ${formatBytes(needs.weights)}, ` +
        `KV cache ${formatBytes(needs.kvCache)} for ${parallel} × ${formatCount(contextTokens)} tokens, ` +
        `compute ${formatBytes(needs.compute)}, overhead ${formatBytes(needs.overhead)}); ${card.name} has ${formatBytes(Math.max(0, card.free))} free`,
      fits
        ? `W4A16 fits with ${formatCount(contextTokens)} tokens at ${formatBytes(total)} a card.`
        : "Use a shorter context, a smaller quantization or a larger card.",
    ),
    prediction: bare,
  };
}

/** What to do when main memory is too small for the experts. */
export function hostHint(shape: ModelShape, wishes: Wishes, free: number): string {
  const smaller = rescaleShape(shape, "w4a16");
  const bytes = smaller === undefined ? Number.POSITIVE_INFINITY : expertBytes(smaller);
  if (bytes < expertBytes(hostShape(shape, wishes)) && bytes <= free)
    return `Experts in INT4 take ${formatBytes(bytes)} and fit: --kt-method AMXINT4 or RAWINT4.`;
  return `Give the machine more memory, or use a model with fewer experts: in INT4 they take ${formatBytes(bytes)}.`;
}
