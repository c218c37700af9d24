import type { ModelShape } from "../models/model-shape.ts";
import type { DeviceRoom, EngineSettings, KvType, Wishes } from "./memory-model.ts";
import type { PagedEngine } from "./paged-engine.ts";
import { type PagedOutcome, poolConcurrency, predictPaged } from "./predict-paged.ts";
import type { Division } from "./tensor-division.ts";

/** A context that is chosen is a multiple of this. */
const CONTEXT_STEP = 256;
/** Nobody is served by less, so a chosen context is not shorter unless the model is. */
const SMALLEST_CHOSEN_CONTEXT = 4096;
/** Context of a model that does not say how long it was trained for. */
const UNKNOWN_CONTEXT = 8192;
/** Tokens that a request takes on average, where that is less than its context: decides how many run at once. */
const TYPICAL_REQUEST = 4096;

/** What stands in the way, in the order in which it is looked for. */
export type Shortage = "weights" | "claim" | "context" | "device" | undefined;

/** One division of one model over these cards, tried: settings, bytes, and what is short. */
export interface Attempt {
  readonly division: Division;
  readonly shape: ModelShape;
  readonly fraction: number;
  readonly outcome: PagedOutcome;
  readonly shortage: Shortage;
  /** Longest context of one request that the KV cache holds, up to what the model was trained for or was asked for. */
  readonly longestContext: number;
}

/** Tries one division: fraction, pool, longest context, and then the settings that follow from the wishes. */
export function attempt(
  engine: PagedEngine,
  shape: ModelShape,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
  division: Division,
): Attempt {
  const fraction = wishes.memoryFraction ?? chosenFraction(engine, devices);
  const trained = shape.trainedContext > 0 ? shape.trainedContext : UNKNOWN_CONTEXT;
  const bound = wishes.contextTokens ?? trained;
  const first = settingsFor(engine, wishes, devices, division, fraction, bound);
  const trial = predictPaged(engine, shape, first, devices, wishes);
  const longestContext = longest(trial, bound);
  const contextTokens =
    wishes.contextTokens ?? Math.max(longestContext, Math.min(trained, SMALLEST_CHOSEN_CONTEXT));
  const parallel = wishes.parallel ?? chosenParallel(trial, contextTokens, first.parallel);
  const outcome = predictPaged(engine, shape, { ...first, contextTokens, parallel }, devices, wishes);
  const shortage = shortageOf(engine, outcome, wishes, fraction, contextTokens);
  return { division, shape, fraction, outcome, shortage, longestContext };
}

/** The fraction that all cards can give, rounded down to a thousandth; 0 when there is no room at all. */
const chosenFraction = (engine: PagedEngine, devices: readonly DeviceRoom[]): number =>
  Math.max(0, Math.floor(Math.min(...devices.map((card) => engine.fractionWithin(card))) * 1000) / 1000);

function settingsFor(
  engine: PagedEngine,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
  division: Division,
  memoryFraction: number,
  contextTokens: number,
): EngineSettings {
  const smallest = devices.reduce(
    (least, card) => (card.total < least.total ? card : least),
    devices[0] ?? NO_CARD,
  );
  const defaults = engine.defaults(smallest);
  const kvKeyType: KvType = wishes.kvKeyType ?? "bf16";
  return {
    kvOnHost: false,
    kvUnified: true,
    cpuExpertLayers: 0,
    gpuLayers: 0,
    microBatchTokens: wishes.batchTokens ?? defaults.batchTokens,
    flashAttention: true,
    cudaGraphs: true,
    threads: 0,
    batchTokens: defaults.batchTokens,
    kvValueType: kvKeyType,
    parallel: defaults.sequences,
    ...settingsAmong(wishes),
    kvKeyType,
    ...division,
    memoryFraction,
    contextTokens,
  };
}

/** Wishes without what is no setting. */
function settingsAmong(wishes: Wishes): Partial<EngineSettings> {
  const { resident: _resident, declared: _declared, ...settings } = wishes;
  return settings;
}

/** The longest context, in whole steps unless the bound itself fits, that one request can have. */
function longest(outcome: PagedOutcome, bound: number): number {
  const fits = (context: number): boolean => poolConcurrency(outcome, context) >= 1;
  if (fits(bound)) return bound;
  let least = 0;
  let most = Math.ceil(bound / CONTEXT_STEP);
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (fits(middle * CONTEXT_STEP)) least = middle;
    else most = middle - 1;
  }
  return Math.min(bound, least * CONTEXT_STEP);
}

function chosenParallel(outcome: PagedOutcome, contextTokens: number, most: number): number {
  const concurrency = poolConcurrency(outcome, Math.min(contextTokens, TYPICAL_REQUEST));
  return Math.max(1, Math.min(most, Number.isFinite(concurrency) ? Math.floor(concurrency) : most));
}

function shortageOf(
  engine: PagedEngine,
  outcome: PagedOutcome,
  wishes: Wishes,
  fraction: number,
  contextTokens: number,
): Shortage {
  if (outcome.ranks.some((rank) => rank.kvRoom <= 0)) return "weights";
  if (
    wishes.kvBytes === undefined &&
    outcome.ranks.some(({ card }) => engine.claimed(card, fraction) > card.free)
  )
    return "claim";
  if (poolConcurrency(outcome, contextTokens) < 1) return "context";
  const over = outcome.ranks.some(
    ({ card }, index) => (outcome.prediction.devices[index]?.total ?? 0) > card.free,
  );
  return over ? "device" : undefined;
}

const NO_CARD: DeviceRoom = { name: "none", total: 0, free: 0 };
