/** What is known of a prompt's length in tokens. Equal `least` and `most` are a count. */
export interface TokenBounds {
  /** It has at least so many. */
  readonly least: number;
  /** It has at most so many; infinite where a picture is named whose size nobody knows yet. */
  readonly most: number;
  /** A cautious guess between the two: rather too many than too few. */
  readonly likely: number;
}

/** Whether a prompt is longer than `limit` tokens; `undefined` where the bounds do not tell. */
export function exceeds(tokens: TokenBounds, limit: number): boolean | undefined {
  if (tokens.most <= limit) return false;
  if (tokens.least > limit) return true;
  return undefined;
}

/** Whether a prompt is shorter than `limit` tokens; `undefined` where the bounds do not tell. */
export function fallsShort(tokens: TokenBounds, limit: number): boolean | undefined {
  const reaches = exceeds(tokens, limit - 1);
  return reaches === undefined ? undefined : !reaches;
}
