import type { EngineSettings } from "./memory-model.ts";

/** The sizes that llama.cpp derives from its arguments when it creates a context. All count tokens or sequences. */
export interface LlamaCppContext {
  /** Cells of one stream of the cache, a multiple of 256. */
  readonly cells: number;
  /** Separate caches: one a sequence, or one for all when unified. */
  readonly streams: number;
  readonly sequences: number;
  /** Tokens of the largest graph that is reserved. */
  readonly tokens: number;
  /** Rows of logits of that graph. */
  readonly outputs: number;
}

/** Cells of a cache are a multiple of this. */
export const CELL_PADDING = 256;

export const padCells = (tokens: number): number => Math.ceil(tokens / CELL_PADDING) * CELL_PADDING;

/**
 * Which rows of logits a graph is reserved for: llama-server reserves one a slot (`server_output_limits`), everything
 * else that leaves `n_outputs_max` alone reserves one for each token of a batch.
 */
export type ReservedOutputs = "slots" | "batch";

/**
 * What a context is made of. With one cache for all requests `contextTokens` is the whole cache and each request may use
 * all of it; otherwise every request has a cache of `contextTokens` of its own (`-c contextTokens × parallel`).
 * Source: the constructor of llama_context and sched_reserve in llama-context.cpp.
 */
export function llamaCppContext(settings: EngineSettings, reserved: ReservedOutputs): LlamaCppContext {
  const sequences = Math.max(1, settings.parallel);
  const cells = padCells(Math.max(1, settings.contextTokens));
  const streams = settings.kvUnified ? 1 : sequences;
  const batch = Math.min(cells * streams, settings.batchTokens);
  const micro = Math.min(batch, settings.microBatchTokens);
  // A graph has the same number of tokens of each sequence.
  const tokens = Math.ceil(micro / sequences) * sequences;
  const outputs = reserved === "slots" ? Math.min(batch, sequences) : batch;
  return { cells, streams, sequences, tokens, outputs: Math.min(micro, outputs) };
}
