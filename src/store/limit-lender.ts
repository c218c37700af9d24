/** What a holder tells and asks of one allowance of one key. Plain data: it travels between processes. */
export interface LimitAsk {
  readonly key: string;
  /** `requestsPerMinute`, `tokensPerMinute`, `concurrent`, `tokensPerDay:2026-11-22`, `tokensPerMonth:2026-11`. */
  readonly allowance: string;
  readonly limit: number;
  /** Milliseconds over which the whole of it comes back; 0 when it does not. */
  readonly span: number;
  /** Used since the last exchange, and not told yet; negative when more was given back. */
  readonly spent: number;
  /** What it must be lent at least, with what it was lent before; 0 gives everything back. */
  readonly want: number;
}

export interface LimitGrant {
  /** What the holder may use from now on before it asks again; less than wanted when the limit is reached. */
  readonly held: number;
  /** Used by all, and lent to others. */
  readonly taken: number;
}

/**
 * Counts allowances that several processes or gateways share, and lends them in pieces: what a holder asks for, or a
 * tenth of what is left if that is more. The sum of what was used and lent never exceeds a limit, beside debts of
 * answers that were longer than promised. A holder that is not heard of for `LOAN_TIME` loses its loan.
 */
export interface LimitLender {
  /** One grant for each ask, in their order. Rejects when nobody can count. */
  exchange(holder: string, asks: readonly LimitAsk[]): Promise<readonly LimitGrant[]>;
}

/** Milliseconds. */
export const LOAN_TIME = 10_000;
/** One part in this many of what is left is lent at once. */
export const LOAN_PARTS = 10;
