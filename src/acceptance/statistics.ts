/** The middle of several values, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Values that it is made of. */
  readonly of: number;
}

/** The value below which this share (0 to 1) of the values lies, between the two nearest ones; `undefined` of none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) return undefined;
  return below + (above - below) * (place - Math.floor(place));
}

/** Median, lowest and highest; `undefined` of none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const median = quantile(values, 0.5);
  if (median === undefined) return undefined;
  return { median, low: Math.min(...values), high: Math.max(...values), of: values.length };
}
