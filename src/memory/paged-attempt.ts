import type { ModelShape } from "../models/model-shape.ts";
import type { DeviceRoom, EngineSettings, Wishes } from "./memory-model.ts";
import type { PagedEngine } from "./paged-engine.ts";
import { type PagedOutcome, poolConcurrency, predictPaged } from "./predict-paged.ts";
import type { Division } from "./tensor-division.ts";
import { wishedSettings } from "./wished-settings.ts";

/** A context that is chosen is a multiple of this. */
const CONTEXT_STEP = 256;
/** Nobody is served by less, so a chosen context is not shorter unless the model is. */
const SMALLEST_CHOSEN_CONTEXT = 4096;
/** A context that nobody asked for and that is worth fewer requests at once. */
const GOOD_CONTEXT = 32_768;
/** Context of a model that does not say how long it was trained for. */
const UNKNOWN_CONTEXT = 8192;
/** Requests at once to try where the engine's default takes too much. */
const FEWER_REQUESTS = [256, 64, 16, 4, 1];
/** So many requests at once serve several people; fewer only where nothing else fits. */
const SERVED = 16;
/** With less KV cache a request than this the engine spends its time evicting one for another. */
const LEAST_TOKENS_A_REQUEST = 128;

/** What stands in the way, in the order in which it is looked for. */
export type Shortage = "weights" | "claim" | "context" | "device";

/** One division of one model over these cards, tried: settings, bytes, and what is short. */
export interface Attempt {
  readonly division: Division;
  readonly shape: ModelShape;
  readonly outcome: PagedOutcome;
  readonly shortage: Shortage | undefined;
  /** Longest context of one request that the KV cache holds, up to what the model was trained for or was asked for. */
  readonly longestContext: number;
}

/**
 * Tries one division: fraction, pool, longest context, and then the settings that follow from the wishes. Where nobody says
 * how many requests run at once, the engine's own default is tried first, and fewer when their logits and graphs take
 * memory that the context needs; then a tighter fraction, where the engine's own leaves more free than it has to.
 */
export function attempt(
  engine: PagedEngine,
  shape: ModelShape,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
  division: Division,
): Attempt {
  const base = baseSettings(engine, shape, wishes, devices, division);
  const preferred = attemptRequests(engine, shape, wishes, devices, base, division);
  if (preferred.shortage === undefined || wishes.memoryFraction !== undefined) return preferred;
  let tightest = preferred;
  for (const memoryFraction of engine.tighterFractions ?? []) {
    if (memoryFraction <= (base.memoryFraction ?? 0)) continue;
    const tighter = attemptRequests(engine, shape, wishes, devices, { ...base, memoryFraction }, division);
    if (tighter.shortage === undefined) return tighter;
    if (tighter.shortage !== "device") tightest = tighter;
  }
  return tightest;
}

function attemptRequests(
  engine: PagedEngine,
  shape: ModelShape,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
  base: EngineSettings,
  division: Division,
): Attempt {
  const choices =
    wishes.parallel === undefined
      ? [base.parallel, ...FEWER_REQUESTS.filter((each) => each < base.parallel)]
      : [wishes.parallel];
  let best: Attempt | undefined;
  for (const parallel of choices) {
    const next = attemptWith(engine, shape, wishes, devices, { ...base, parallel }, division);
    if (next.shortage === undefined && satisfies(next, wishes)) return next;
    if (best === undefined || better(next, best)) best = next;
  }
  return best ?? attemptWith(engine, shape, wishes, devices, base, division);
}

/** Nothing is gained by fewer requests: the context is as wished or good, and each request has its tokens. */
function satisfies({ shape, outcome, longestContext }: Attempt, wishes: Wishes): boolean {
  const { settings, kv } = outcome.prediction;
  if (wishes.parallel !== undefined) return true;
  if (kv.tokens / settings.parallel < LEAST_TOKENS_A_REQUEST) return false;
  return (
    wishes.contextTokens !== undefined || longestContext >= Math.min(trainedContext(shape), GOOD_CONTEXT)
  );
}

function better(one: Attempt, other: Attempt): boolean {
  if ((one.shortage === undefined) !== (other.shortage === undefined)) return one.shortage === undefined;
  if (one.shortage === undefined && one.outcome.prediction.settings.parallel < SERVED) return false;
  return one.longestContext >= other.longestContext;
}

const trainedContext = (shape: ModelShape): number =>
  shape.trainedContext > 0 ? shape.trainedContext : UNKNOWN_CONTEXT;

function attemptWith(
  engine: PagedEngine,
  shape: ModelShape,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
  settings: EngineSettings,
  division: Division,
): Attempt {
  const trial = predictPaged(engine, shape, settings, devices, wishes);
  const longestContext = longest(trial, settings.contextTokens);
  const least = Math.min(settings.contextTokens, SMALLEST_CHOSEN_CONTEXT);
  const contextTokens = wishes.contextTokens ?? Math.max(longestContext, least);
  const outcome =
    contextTokens === settings.contextTokens
      ? trial
      : predictPaged(engine, shape, { ...settings, contextTokens }, devices, wishes);
  return { division, shape, outcome, shortage: shortageOf(engine, outcome), longestContext };
}

/** The settings of a fit before context and requests are chosen; both stand at their most. */
function baseSettings(
  engine: PagedEngine,
  shape: ModelShape,
  wishes: Wishes,
  devices: readonly DeviceRoom[],
  division: Division,
): EngineSettings {
  const smallest = devices.reduce<DeviceRoom | undefined>(
    (least, card) => (least === undefined || card.total < least.total ? card : least),
    undefined,
  );
  const defaults = engine.defaults(smallest ?? NO_CARD, devices.length);
  const wished = wishedSettings(wishes);
  const kvKeyType = wishes.kvKeyType ?? "bf16";
  return {
    kvKeyType,
    kvValueType: kvKeyType,
    kvOnHost: false,
    kvUnified: true,
    gpuLayers: shape.layers.length + 1,
    cpuExpertLayers: 0,
    batchTokens: defaults.batchTokens,
    microBatchTokens: defaults.batchTokens,
    flashAttention: true,
    cudaGraphs: true,
    threads: 1,
    parallel: defaults.sequences,
    contextTokens: trainedContext(shape),
    memoryFraction: chosenFraction(engine, devices),
    ...wished,
    ...division,
  };
}

/** The fraction that all cards can give, rounded down to a thousandth; 0 when there is no room at all. */
const chosenFraction = (engine: PagedEngine, devices: readonly DeviceRoom[]): number =>
  Math.max(
    0,
    Math.floor(Math.min(...devices.map((card) => engine.fractionWithin(card, devices.length))) * 1000) / 1000,
  );

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

function shortageOf(engine: PagedEngine, { ranks, prediction }: PagedOutcome): Shortage | undefined {
  const { settings } = prediction;
  if (ranks.some((rank) => rank.kvRoom <= 0)) return "weights";
  const claims = settings.kvBytes === undefined;
  if (claims && ranks.some(({ card }) => engine.claimed(card, settings.memoryFraction ?? 0) > card.free))
    return "claim";
  if (prediction.kv.concurrency < 1) return "context";
  const over = ranks.some(({ card }, index) => (prediction.devices[index]?.total ?? 0) > card.free);
  return over ? "device" : undefined;
}

const NO_CARD: DeviceRoom = { name: "none", total: 0, free: 0 };
