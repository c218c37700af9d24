import { formatBytes } from "../core/index.ts";
import type { WeightScheme } from "../models/model-shape.ts";
import { formatTokens } from "./format-tokens.ts";
import type { Fit, FitRequest, MemoryPart } from "./memory-model.ts";
import { attempt, type Attempt } from "./paged-attempt.ts";
import type { PagedEngine } from "./paged-engine.ts";
import type { RankOutcome } from "./predict-paged.ts";
import { rescaleShape } from "./rescale-shape.ts";
import { divisions } from "./tensor-division.ts";
import { partBytes, termBytes } from "./terms.ts";

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
  const fraction = outcome.prediction.settings.memoryFraction ?? 0;
  const rank = fullestRank(tried);
  if (rank === undefined) return `${engine.title} has no card`;
  const { card } = rank;
  const claimed = engine.claimed(card, fraction);
  const share = engine.share(card, fraction);
  if (shortage === "claim" || shortage === "device")
    return (
      `${engine.title} takes ${formatBytes(shortage === "claim" ? claimed : deviceTotal(tried, rank))} of ${card.name} ` +
      `(${share} and what lies beside it); ${formatBytes(Math.max(0, card.free))} are free`
    );
  const weights = termBytes(rank.parts, "weights");
  const rest = partBytes(rank.parts) - weights;
  const per = outcome.ranks.length > 1 ? " per card" : "";
  const needs =
    `needs ${formatBytes(weights)} of weights${per} and ${formatBytes(rest)} beside them (${named(rank.parts)}); ` +
    `${card.name} can give ${formatBytes(Math.max(0, claimed))} (${share})`;
  if (shortage === "weights") return `${needs}: ${formatBytes(-rank.kvRoom)} are missing before any KV cache`;
  const context = outcome.prediction.settings.contextTokens;
  const wanted = rank.pool.perRequest(context) * rank.pool.blockBytes;
  return `${needs}, which leaves ${formatBytes(rank.kvRoom)} for KV cache; ${formatTokens(context)} tokens of context take ${formatBytes(wanted)}`;
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

const fullestRank = ({ outcome }: Attempt): RankOutcome | undefined =>
  outcome.ranks.reduce<RankOutcome | undefined>(
    (least, rank) => (least === undefined || spare(rank) < spare(least) ? rank : least),
    undefined,
  );

const spare = (rank: RankOutcome): number => Math.min(rank.kvRoom, rank.card.free - rank.card.total);

const deviceTotal = ({ outcome }: Attempt, rank: RankOutcome): number =>
  outcome.prediction.devices[outcome.ranks.indexOf(rank)]?.total ?? 0;

function hintFor(engine: PagedEngine, tried: Attempt, request: FitRequest): string {
  const { wishes, devices } = request;
  if (tried.shortage === "claim" || tried.shortage === "device") {
    const most =
      Math.floor(Math.min(...devices.map((card) => engine.fractionWithin(card, devices.length))) * 100) / 100;
    if (most > 0) return `Set memoryFraction to at most ${most}, or free the card of other services.`;
  }
  const hints: string[] = [];
  const smaller = smallerScheme(engine, tried, request);
  if (smaller !== undefined) hints.push(`${smaller}.`);
  if (tried.shortage === "context" && tried.longestContext > 0 && wishes.contextTokens !== undefined)
    hints.push(`As it is, at most ${formatTokens(tried.longestContext)} tokens of context fit.`);
  if (smaller === undefined) hints.push(...moreCards(engine, tried, request));
  return hints.length > 0 ? hints.join(" ") : "Use a smaller model, or cards with more memory.";
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
  return `${formatTokens(settings.contextTokens)} tokens and ${kv.concurrency.toFixed(2)}×`;
}
