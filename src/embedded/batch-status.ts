/** What one engine may hold at the same time. */
export interface BatchLimits {
  readonly contextTokens: number;
  readonly parallel: number;
  readonly queue: number;
  readonly batchTokens: number;
}

/** What the loop says of itself at one moment. */
export interface LoopStatus {
  readonly running: number;
  readonly waiting: number;
  readonly contextTokensUsed: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly finished: number;
  readonly cancelled: number;
}
