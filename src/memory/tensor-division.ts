import type { ModelShape } from "../models/model-shape.ts";
import { paddedVocabulary } from "./rank-weights.ts";

/** Columns that share a scale (4-bit groups, blocks of FP8) and that a rank holds whole. */
const SCALED_COLUMNS = 128;
const GROUPED_SCHEMES: ReadonlySet<string> = new Set(["w4a16", "w4a16-gptq", "w4a16-awq", "w8a16"]);

/** A way to use all cards: ranks that split every layer times stages that take layers in turn. */
export interface Division {
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
}

/**
 * Why a model cannot be split over so many ranks, for a person, or `undefined` when it can. Query heads, padded vocabulary
 * and feed-forward width must divide; key and value heads must divide or be divided (they are then repeated); of experts
 * the width must divide, or with expert parallelism their number. Quantized columns divide by whole groups of 128 (vLLM:
 * "is not divisible by weight quantization block_n = 128").
 */
export function indivisible(shape: ModelShape, ranks: number, expertParallel = false): string | undefined {
  if (ranks === 1) return undefined;
  const { experts, kvHeads } = shape;
  const uneven = (what: string, count: number, unit = 1): string | undefined => {
    if (count % ranks !== 0) return `${count} ${what} cannot be divided by ${ranks} cards`;
    return count % (ranks * unit) === 0
      ? undefined
      : `${count} ${what} over ${ranks} cards leave ${count / ranks}, which is no multiple of the quantization's ${unit}`;
  };
  const unit = scaledColumns(shape);
  return (
    uneven("attention heads", shape.heads) ??
    (kvHeads > 0 && kvHeads % ranks !== 0 && ranks % kvHeads !== 0
      ? `${kvHeads} key-value heads can neither be divided by ${ranks} cards nor repeated evenly on them`
      : undefined) ??
    uneven("vocabulary rows", paddedVocabulary(shape)) ??
    uneven("feed-forward columns", shape.feedForward, unit) ??
    (experts === undefined
      ? undefined
      : expertParallel
        ? uneven("experts", experts.count)
        : uneven("columns of an expert", experts.feedForward, unit))
  );
}

const scaledColumns = ({ quantization }: ModelShape): number =>
  GROUPED_SCHEMES.has(quantization.scheme) || (quantization.scheme === "fp8" && quantization.method === "fp8")
    ? SCALED_COLUMNS
    : 1;

/**
 * The ways to use exactly `cards` cards, best first: splitting every layer where the cards are equal, since all then work
 * at once; layers in turn first where they are not, since each rank counts as the smallest card.
 */
export function divisions(
  shape: ModelShape,
  cards: number,
  equal: boolean,
  expertParallel = false,
): readonly Division[] {
  const layers = shape.layers.filter((layer) => layer.draft !== true).length;
  const found: Division[] = [];
  for (let tensorParallel = cards; tensorParallel >= 1; tensorParallel--) {
    const pipelineParallel = cards / tensorParallel;
    if (!Number.isInteger(pipelineParallel) || pipelineParallel > Math.max(1, layers)) continue;
    if (indivisible(shape, tensorParallel, expertParallel) === undefined)
      found.push({ tensorParallel, pipelineParallel });
  }
  return equal ? found : found.toReversed();
}

/** Largest number of ranks up to `cards` that divides the model. */
export function largestDivisor(shape: ModelShape, cards: number, expertParallel = false): number {
  for (let ranks = cards; ranks > 1; ranks--)
    if (indivisible(shape, ranks, expertParallel) === undefined) return ranks;
  return 1;
}
