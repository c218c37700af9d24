import type { WireError } from "./wire-error.ts";

/** Tokens of one answer as the engine counted them. */
export interface TokenUsage {
  /** All of the prompt, cached ones included. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompt: read from a cache. */
  readonly cachedTokens?: number;
  /** Of the prompt: written to a cache (Anthropic's dialect alone). */
  readonly cacheWriteTokens?: number;
  /** Of the completion: thinking. */
  readonly reasoningTokens?: number;
}

/**
 * Why an answer ended, in the finest words of any dialect.
 * `context`: the window was full; `pause`: the engine wants to be asked to go on.
 */
export type Finish = "stop" | "stop_sequence" | "length" | "context" | "tool" | "refusal" | "pause";

/** One thing that an answer holds, in order. */
export type AnswerPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string; readonly signature?: string }
  | { readonly type: "redacted"; readonly data: string }
  | { readonly type: "refusal"; readonly text: string }
  | { readonly type: "call"; readonly id: string; readonly name: string; readonly arguments: string };

/** A whole answer between two dialects. */
export interface Answer {
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly parts: readonly AnswerPart[];
  readonly finish: Finish;
  /** Which one ended it, where the engine tells. */
  readonly stopSequence?: string;
  readonly usage?: TokenUsage;
}

/** What is known of an answer at its first event. */
export interface AnswerStart {
  readonly id: string;
  readonly model: string;
  readonly created: number;
  readonly usage?: TokenUsage;
}

/**
 * Takes an answer as it comes and returns wire text of the client's dialect for each step. Tool calls come one after
 * another: the arguments of a call are over when anything else than `argumentsDelta` comes.
 */
export interface AnswerWriter {
  begin(start: AnswerStart): string;
  text(delta: string): string;
  reasoning(delta: string): string;
  /** Proof of the thinking before it. */
  signature(signature: string): string;
  redacted(data: string): string;
  refusal(delta: string): string;
  call(id: string, name: string): string;
  argumentsDelta(delta: string): string;
  finish(finish: Finish, stopSequence?: string): void;
  usage(usage: TokenUsage): void;
  error(error: WireError): string;
  /** Everything that is still owed; called once, last. */
  end(): string;
}
