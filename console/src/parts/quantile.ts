/** Of values from the smallest to the largest the one below which `share` of all lie; `undefined` without any. */
export const quantileOf = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
