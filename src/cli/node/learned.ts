import { OmniError } from "../../core/index.ts";
import { fillsShare } from "../../plan/index.ts";
import type { Learned } from "../../plan/index.ts";
import { readMeasurements } from "../../store/index.ts";
import type { Measurement } from "../../store/index.ts";

/** Below this a difference is what rounding and the driver's own pages are, bytes. */
const NOISE = 16 * 2 ** 20;
/** A correction beyond this share of the prediction is no correction: something else was on the card, or has changed. */
const MOST = 0.25;
/** Marks engines that were none: what they take says nothing about real ones. */
const SIMULATED = "simulated ";

/** Kind under which a simulated engine is remembered. */
export const simulatedKind = (kind: string): string => `${SIMULATED}${kind}`;

/**
 * What nodes of this state folder measured, newest first; nothing where none ran. A database that cannot be read has
 * nothing to teach either: it must not keep a plan from being made, nor the node from the start that sets it aside.
 */
export function measuredHere(stateFolder: string): readonly Measurement[] {
  try {
    return (readMeasurements(stateFolder) ?? []).filter(({ engine }) => !engine.startsWith(SIMULATED));
  } catch (thrown) {
    if (thrown instanceof OmniError && thrown.code === "store.unwritable") return [];
    throw thrown;
  }
}

/** The measurements as corrections for the next plan. */
export const learnedFrom = (measurements: readonly Measurement[]): readonly Learned[] =>
  measurements.flatMap((measurement): readonly Learned[] => {
    const { model, engine, time, devices, cards } = measurement;
    const onCards = devices.slice(0, cards.length);
    if (onCards.length === 0) return [];
    const beyond = onCards.map((device) => beyondOn(device, measurement));
    if (beyond.every((bytes) => bytes === 0)) return [];
    const day = new Date(time).toISOString().slice(0, 10);
    return [{ model, engine, beyond, measured: `${day}, ${cards.join(" + ")}` }];
  });

/**
 * Bytes on a card beyond the prediction. An engine that fills its share with cache takes what it is given: there, the cache
 * that is missing tells what else was taken.
 */
function beyondOn(
  { predicted, took }: Measurement["devices"][number],
  { engine, kvTokens, predictedKvTokens }: Measurement,
): number {
  const { total = 0, kvCache = 0 } = predicted;
  const beyond = Math.round(
    fillsShare(engine)
      ? kvTokens === undefined || predictedKvTokens === undefined || predictedKvTokens <= 0
        ? 0
        : (1 - kvTokens / predictedKvTokens) * kvCache
      : took.total === undefined
        ? 0
        : took.total - total,
  );
  return Math.abs(beyond) < NOISE || Math.abs(beyond) > total * MOST ? 0 : beyond;
}
