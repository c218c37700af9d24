import { formatBytes } from "../core/index.ts";
import type { DeviceRoom, Fit, FitRequest } from "./memory-model.ts";
import type { PagedEngine } from "./paged-engine.ts";
import { attempt } from "./paged-attempt.ts";
import { refuseAttempt } from "./paged-refusal.ts";
import { type Division, divisions, indivisible, largestDivisor } from "./tensor-division.ts";

/** Cards whose memory differs less than this share count as equal. */
const EQUAL_CARDS = 0.03;

/**
 * Fits a model on exactly these cards: how they divide it, the share of each that the engine takes, the longest context
 * and as many requests as the KV cache serves; or says with the arithmetic of the fullest card why none of it fits.
 */
export function fitPaged(engine: PagedEngine, request: FitRequest): Fit {
  const { shape, wishes, devices, host } = request;
  if (shape === undefined)
    return refuse(
      "model.no-shape",
      `${engine.title}'s memory follows from the model's shape, and nothing tells it`,
      "Give the model's file, a known family, or its shape.",
    );
  if (devices.length === 0)
    return refuse(
      "plan.no-device",
      `${engine.title} runs on cards, and none is given`,
      "Name a card, or use llama.cpp.",
    );
  const ways = waysToDivide(request);
  const [best] = ways;
  if (best === undefined) return refuseDivision(engine, request);
  const tries = ways.map((way) => attempt(engine, shape, wishes, devices, way));
  const fitting = tries.find((each) => each.shortage === undefined);
  const [preferred] = tries;
  if (fitting === undefined)
    return preferred === undefined
      ? refuseDivision(engine, request)
      : refuseAttempt(engine, preferred, request);
  const { prediction } = fitting.outcome;
  if (prediction.host.total > host.free)
    return refuse(
      "does-not-fit",
      `${engine.title} needs ${formatBytes(prediction.host.total)} of main memory for its processes; ${formatBytes(Math.max(0, host.free))} are free`,
      "Free main memory, or give the service fewer cards.",
    );
  return { fits: true, prediction, resident: true };
}

/** What was wished and divides, or every way to use all cards, best first. */
function waysToDivide({ shape, wishes, devices }: FitRequest): readonly Division[] {
  if (shape === undefined) return [];
  return divisions(shape, devices.length, equalCards(devices), wishes.expertParallel).filter(
    (way) =>
      (wishes.tensorParallel === undefined || wishes.tensorParallel === way.tensorParallel) &&
      (wishes.pipelineParallel === undefined || wishes.pipelineParallel === way.pipelineParallel),
  );
}

function equalCards(devices: readonly DeviceRoom[]): boolean {
  const totals = devices.map((card) => card.total);
  return Math.max(...totals) - Math.min(...totals) <= EQUAL_CARDS * Math.max(...totals);
}

function refuseDivision(engine: PagedEngine, { shape, wishes, devices }: FitRequest): Fit {
  const { tensorParallel, pipelineParallel } = wishes;
  const ranks = tensorParallel ?? devices.length / (pipelineParallel ?? 1);
  const uneven =
    shape === undefined || !Number.isInteger(ranks)
      ? undefined
      : indivisible(shape, ranks, wishes.expertParallel);
  if (uneven !== undefined && shape !== undefined) {
    const divisor = largestDivisor(shape, devices.length, wishes.expertParallel);
    const byExperts = wishes.expertParallel !== true && indivisible(shape, ranks, true) === undefined;
    return refuse(
      "plan.indivisible",
      `${engine.title} cannot split this model over ${ranks} cards: ${uneven}`,
      byExperts
        ? "Use expertParallel: true, which spreads whole experts over the cards."
        : dividedOtherwise(devices.length, divisor),
    );
  }
  return refuse(
    "plan.indivisible",
    `${devices.length} ${devices.length === 1 ? "card is" : "cards are"} given, and ${tensorParallel ?? 1} × ${pipelineParallel ?? 1} ranks are asked for`,
    "Make tensorParallel × pipelineParallel the number of cards, or leave one of them out.",
  );
}

/** How so many cards can be used when the model splits evenly over `divisor` of them at most. */
const dividedOtherwise = (cards: number, divisor: number): string =>
  cards % divisor === 0
    ? `Use tensorParallel: ${divisor} with pipelineParallel: ${cards / divisor}.`
    : `Use pipelineParallel: ${cards}, layers in turn, or name ${divisor} of the cards for tensorParallel: ${divisor}.`;

const refuse = (code: Extract<Fit, { fits: false }>["code"], reason: string, hint: string): Fit => ({
  fits: false,
  code,
  reason,
  hint,
});
