import { quantileOf } from "./quantile.ts";

/** How values lie: their middle, their upper end, and how many in each of some ranges. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly ranges: readonly Range[];
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Values of many sizes in `most` ranges or fewer, each so many times the one before; `undefined` without any value. */
export function spreadOf(values: readonly number[], most = 16): Spread | undefined {
  const sorted = values.filter((value) => value >= 0).toSorted((a, b) => a - b);
  const [least, max] = [sorted[0], sorted.at(-1)];
  if (least === undefined || max === undefined) return undefined;
  const at = (share: number): number => quantileOf(sorted, share) ?? max;
  return {
    count: sorted.length,
    p50: at(0.5),
    p95: at(0.95),
    max,
    ranges: rangesOf(sorted, least, max, most),
  };
}

function rangesOf(sorted: readonly number[], least: number, max: number, most: number): readonly Range[] {
  const begin = Math.max(1, least);
  const factor = Math.max(1.05, (max / begin) ** (1 / most) * 1.0001);
  const counts = new Map<number, number>();
  for (const value of sorted) {
    const index = Math.min(
      most - 1,
      Math.max(0, Math.floor(Math.log(Math.max(begin, value) / begin) / Math.log(factor))),
    );
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const last = Math.max(...counts.keys());
  return Array.from({ length: last + 1 }, (_, index) => ({
    from: index === 0 ? least : begin * factor ** index,
    to: Math.min(begin * factor ** (index + 1), Math.max(max, begin)),
    count: counts.get(index) ?? 0,
  }));
}
