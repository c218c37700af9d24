import type { RequestRow } from "../../live/live-state.ts";
import { quantileOf } from "../../parts/quantile.ts";

/** How fast a service answered. */
export interface Speed {
  /** Milliseconds to the first token, the median. */
  readonly firstToken: number | undefined;
  /** Tokens a second that one answer came at, the median. */
  readonly tokensPerSecond: number | undefined;
}

/** Answers that are looked at. */
const LAST = 50;

/** How fast the last answers of a service came; `undefined` where none was seen. */
export function recentSpeed(requests: readonly RequestRow[], service: string): Speed | undefined {
  const last: RequestRow[] = [];
  for (let i = requests.length - 1; i >= 0 && last.length < LAST; i--) {
    const row = requests[i];
    if (row?.service === service) last.push(row);
  }
  return last.length === 0 ? undefined : speedOf(last);
}

export const speedOf = (rows: readonly RequestRow[]): Speed => ({
  firstToken: quantile(
    rows.flatMap(({ firstToken }) => firstToken ?? []),
    0.5,
  ),
  tokensPerSecond: quantile(rows.flatMap(rateOf), 0.5),
});

/** Tokens a second between the first and the last; nothing for answers of one piece. */
function rateOf({ completionTokens, duration, firstToken }: RequestRow): readonly number[] {
  if (completionTokens === undefined || firstToken === undefined) return [];
  const seconds = (duration - firstToken) / 1000;
  return completionTokens < 2 || seconds <= 0 ? [] : [(completionTokens - 1) / seconds];
}

/** The value below which `share` of all lie. */
export const quantile = (values: readonly number[], share: number): number | undefined =>
  quantileOf(
    values.toSorted((a, b) => a - b),
    share,
  );
