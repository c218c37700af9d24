import { MIB } from "../../core/index.ts";

/** Bounds of batches. Sizes are bytes, times milliseconds. */
export interface BatchLimits {
  /** Batches that are kept, ended ones included; beyond it the oldest ended ones go. */
  readonly kept: number;
  /** Of one key that have not ended. */
  readonly open: number;
  /** Requests of one batch, as OpenAI's. */
  readonly lines: number;
  readonly lineBytes: number;
  /** Requests under way of all batches together, at most; how many really are depends on what is free. */
  readonly concurrent: number;
  /** Batches that are worked on at the same time; others wait for their turn. */
  readonly atOnce: number;
  /** Tries of a request that fails by the node's fault; waiting for a place is no try. */
  readonly attempts: number;
  /** Before another try: of all after a refusal that names no time, of one request after its failure (times 2 by try). */
  readonly retryPause: number;
  /** Longest time from creation to end. */
  readonly window: number;
}

export const BATCH_LIMITS: BatchLimits = {
  kept: 1000,
  open: 100,
  lines: 50_000,
  lineBytes: 8 * MIB,
  concurrent: 32,
  atOnce: 4,
  attempts: 4,
  retryPause: 1000,
  window: 7 * 86_400_000,
};

/** Faults of an input file that are told, at most. */
export const MOST_FAULTS = 100;
