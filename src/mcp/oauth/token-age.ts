/** Milliseconds before its end that a token is renewed at most. */
const EARLY = 30_000;
/** Part of its life before its end that a token is renewed at most: one that lives for seconds is used for most of them. */
const PART = 10;

/** A token's life, in milliseconds since the epoch. */
interface Life {
  readonly obtained: number;
  readonly expires?: number | undefined;
}

/** Whether it is time for another token. One whose end is unknown is used until it is refused. */
export function isEnding({ obtained, expires }: Life, now: number): boolean {
  if (expires === undefined) return false;
  return now >= expires - Math.min(EARLY, Math.max(0, expires - obtained) / PART);
}

/** The end of a token that lives `seconds` from `now` on; `undefined` when the issuer does not say. */
export const endOf = (seconds: number | undefined, now: number): number | undefined =>
  seconds === undefined ? undefined : now + seconds * 1000;
