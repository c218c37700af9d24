import type { ModelShape } from "../models/model-shape.ts";
import { paddedVocabulary } from "./rank-weights.ts";

/** Weights of a 4-bit scheme share a scale in groups of so many, and a rank holds whole groups. */
const GROUP = 128;
const GROUPED_SCHEMES: ReadonlySet<string> = new Set(["w4a16", "w4a16-gptq", "w4a16-awq", "w8a16"]);

/** A way to use all cards: ranks that split every layer times stages that take layers in turn. */
export interface Division {
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
}

/**
 * Why a model cannot be split over so many ranks, for a person, or `undefined` when it can. Query heads, padded vocabulary,
 * feed-forward width and expert width must divide; key and value heads must divide or be divided (they are then repeated).
 */
export function indivisible(shape: ModelShape, ranks: number): string | undefined {
  if (ranks === 1) return undefined;
  const { experts, kvHeads } = shape;
  const uneven = (what: string, count: number): string | undefined =>
    count % ranks === 0 ? undefined : `${count} ${what} cannot be divided by ${ranks} cards`;
  const group = GROUPED_SCHEMES.has(shape.quantization.scheme) ? GROUP : 1;
  return (
    uneven("attention heads", shape.heads) ??
    (kvHeads > 0 && kvHeads % ranks !== 0 && ranks % kvHeads !== 0
      ? `${kvHeads} key-value heads can neither be divided by ${ranks} cards nor repeated evenly on them`
      : undefined) ??
    uneven("vocabulary rows", paddedVocabulary(shape)) ??
    uneven("feed-forward columns", shape.feedForward) ??
    (experts === undefined ? undefined : uneven("columns of an expert", experts.feedForward)) ??
    (shape.feedForward % (ranks * group) === 0
      ? undefined
      : `${shape.feedForward} feed-forward columns over ${ranks} cards cut a quantization group of ${group}`)
  );
}

/**
 * The ways to use exactly `cards` cards, best first: splitting every layer where the cards are equal, since all then work
 * at once; layers in turn first where they are not, since each rank counts as the smallest card.
 */
export function divisions(shape: ModelShape, cards: number, equal: boolean): readonly Division[] {
  const layers = shape.layers.filter((layer) => layer.draft !== true).length;
  const found: Division[] = [];
  for (let tensorParallel = cards; tensorParallel >= 1; tensorParallel--) {
    const pipelineParallel = cards / tensorParallel;
    if (!Number.isInteger(pipelineParallel) || pipelineParallel > Math.max(1, layers)) continue;
    if (indivisible(shape, tensorParallel) === undefined) found.push({ tensorParallel, pipelineParallel });
  }
  return equal ? found : found.toReversed();
}

/** Largest number of ranks up to `cards` that divides the model. */
export function largestDivisor(shape: ModelShape, cards: number): number {
  for (let ranks = cards; ranks > 1; ranks--) if (indivisible(shape, ranks) === undefined) return ranks;
  return 1;
}
