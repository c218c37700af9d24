import { formatBytes, formatCount } from "../core/index.ts";
import type { WeightScheme } from "../models/model-shape.ts";
import type { DeviceMemory, Fit, FitRequest, MemoryPart, Wishes } from "./memory-model.ts";
import { attempt, type Attempt } from "./paged-attempt.ts";
import type { PagedEngine } from "./paged-engine.ts";
import type { RankOutcome } from "./predict-paged.ts";
import { rescaleShape } from "./rescale-shape.ts";
import { divisions } from "./tensor-division.ts";
import { NO_MEMORY, partBytes, termBytes } from "./terms.ts";

/** Schemes to try instead, the least loss first. */
const SMALLER_SCHEMES: readonly WeightScheme[] = ["fp8", "w4a16"];
/** Weight-only FP8 needs Ampere's Marlin kernels at least. */
const FP8_CAPABILITY = 8;
const MOST_CARDS = 16;
/** Parts below this share of what lies beside the weights are left out of the sentence. */
const SMALL_PART = 0.05;

/** Says which card is short of what, in numbers, and what would fit instead. */
export function refuseAttempt(engine: PagedEngine, tried: Attempt, request: FitRequest): Fit {
  return {
    fits: false,
    code: "does-not-fit",
    reason: reasonFor(engine, tried),
    hint: hintFor(engine, tried, request),
    prediction: tried.outcome.prediction,
  };
}

function reasonFor(engine: PagedEngine, tried: Attempt): string {
  const { outcome, shortage } = tried;
  const { settings } = outcome.prediction;
  const fraction = settings.memoryFraction ?? 0;
  const fullest = fullestRank(engine, tried);
  if (fullest === undefined) return `${engine.title} has no card`;
  const { rank, device } = fullest;
  const { card } = rank;
  const free = formatBytes(Math.max(0, card.free));
  const claimed = formatBytes(Math.max(0, engine.claimed(card, fraction)));
  const share = engine.share(card, fraction);
  if (shortage === "claim")
    return `${engine.title} takes ${claimed} of ${card.name} (${share}); ${free} are free`;
  const weights = termBytes(rank.parts, "weights");
  const rest = formatBytes(partBytes(rank.parts) - weights);
  const per = outcome.ranks.length > 1 ? " per card" : "";
  const needs = `needs ${formatBytes(weights)} of weights${per} and ${rest} beside them (${named(rank.parts)})`;
  if (shortage === "device")
    return `${needs}, with ${formatBytes(device.kvCache)} of KV cache ${formatBytes(device.total)} in all; ${card.name} has ${free} free`;
  const given = `${needs}; ${card.name} can give ${claimed} (${share})`;
  if (shortage === "weights") return `${given}: ${formatBytes(-rank.kvRoom)} are missing before any KV cache`;
  const wanted = rank.pool.perRequest(settings.contextTokens) * rank.pool.blockBytes;
  return (
    `${given}, which leaves ${formatBytes(rank.kvRoom)} for KV cache; ` +
    `${formatCount(settings.contextTokens)} tokens of context take ${formatBytes(wanted)}`
  );
}

/** The larger parts beside weights, for a person. */
function named(parts: readonly MemoryPart[]): string {
  const beside = parts.filter((part) => part.term !== "weights");
  const least = partBytes(beside) * SMALL_PART;
  return beside
    .filter((part) => part.bytes > least)
    .toSorted((one, other) => other.bytes - one.bytes)
    .map((part) => `${part.name} ${formatBytes(part.bytes)}`)
    .join(", ");
}

interface FullestRank {
  readonly rank: RankOutcome;
  readonly device: DeviceMemory;
}

/** The rank that is short of most. */
function fullestRank(engine: PagedEngine, { outcome, shortage }: Attempt): FullestRank | undefined {
  const fraction = outcome.prediction.settings.memoryFraction ?? 0;
  const spare = ({ rank, device }: FullestRank): number => {
    if (shortage === "claim") return rank.card.free - engine.claimed(rank.card, fraction);
    return shortage === "device" ? rank.card.free - device.total : rank.kvRoom;
  };
  return outcome.ranks
    .map((rank, index) => ({ rank, device: outcome.prediction.devices[index] ?? NO_MEMORY }))
    .reduce<FullestRank | undefined>(
      (least, each) => (least === undefined || spare(each) < spare(least) ? each : least),
      undefined,
    );
}

function hintFor(engine: PagedEngine, tried: Attempt, request: FitRequest): string {
  const { wishes, devices } = request;
  if (tried.shortage === "claim" || tried.shortage === "device") {
    const { memoryFraction: _fraction, kvBytes: _bytes, ...free } = wishes;
    const other = attempt(engine, tried.shape, free, devices, tried.division);
    if (other.shortage === undefined) return `${lowered(wishes, other)}: it fits with ${achieved(other)}.`;
  }
  const hints: string[] = [];
  const smaller = smallerScheme(engine, tried, request);
  if (smaller !== undefined) hints.push(`${smaller}.`);
  if (tried.shortage === "context" && tried.longestContext > 0 && wishes.contextTokens !== undefined)
    hints.push(`As it is, at most ${formatCount(tried.longestContext)} tokens of context fit.`);
  if (smaller === undefined) hints.push(...moreCards(engine, tried, request));
  return hints.length > 0 ? hints.join(" ") : "Use a smaller model, or cards with more memory.";
}

/** The setting that took too much, at a value that does not. */
function lowered(wishes: Wishes, { outcome }: Attempt): string {
  const { devices, settings } = outcome.prediction;
  if (wishes.kvBytes === undefined) return `Set memoryFraction to at most ${settings.memoryFraction ?? 0}`;
  return `Set the size of the KV cache to at most ${formatBytes(Math.min(...devices.map((device) => device.kvCache)))} a card`;
}

/** `W4A16 fits with 32 768 tokens and 1.65×`: the same model in a smaller scheme on the same cards. */
function smallerScheme(
  engine: PagedEngine,
  tried: Attempt,
  { wishes, devices }: FitRequest,
): string | undefined {
  for (const scheme of SMALLER_SCHEMES) {
    if (scheme === "fp8" && devices.some((card) => Number(card.computeCapability ?? "9") < FP8_CAPABILITY))
      continue;
    const shape = rescaleShape(tried.shape, scheme);
    if (shape === undefined || shape.weightBytes >= tried.shape.weightBytes * 0.95) continue;
    const other = attempt(engine, shape, wishes, devices, tried.division);
    if (other.shortage === undefined) return `${shape.quantization.name} fits with ${achieved(other)}`;
  }
  return undefined;
}

/** How many cards like the smallest one would hold it. */
function moreCards(engine: PagedEngine, tried: Attempt, { wishes, devices }: FitRequest): string[] {
  const smallest = devices.toSorted((one, other) => one.free - other.free)[0];
  if (smallest === undefined) return [];
  const { tensorParallel: _t, pipelineParallel: _p, ...free } = wishes;
  for (let cards = devices.length * 2; cards <= MOST_CARDS; cards *= 2) {
    const row = Array.from({ length: cards }, () => smallest);
    const [way] = divisions(tried.shape, cards, true, wishes.expertParallel);
    if (way === undefined) continue;
    const other = attempt(engine, tried.shape, free, row, way);
    if (other.shortage === undefined) return [`${cards} such cards would hold it with ${achieved(other)}.`];
  }
  return [];
}

function achieved({ outcome }: Attempt): string {
  const { settings, kv } = outcome.prediction;
  return `${formatCount(settings.contextTokens)} tokens and ${kv.concurrency.toFixed(2)}×`;
}
