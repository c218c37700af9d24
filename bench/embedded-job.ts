/** What both sides of the benchmark of the embedded engine agree on. */
export const CONTEXT_TOKENS = 1024;
export const SAMPLING = { temperature: 0.8, topK: 40, topP: 0.95, minP: 0 } as const;

/** One measurement: each prompt is answered with exactly `tokens` tokens, all at the same time. */
export interface BenchJob {
  readonly prompts: readonly string[];
  readonly tokens: number;
  /** Milliseconds after which a side that is too slow stops and counts what it has. */
  readonly deadline: number;
}

export interface BenchResult {
  readonly tokens: number;
  readonly milliseconds: number;
}
