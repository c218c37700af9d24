import type { JsonObject } from "../../dialects/dialect.ts";
import { asCount, asObject } from "./fields.ts";

/** How the tokens of one answer divide between the engines. */
export interface TokenSplit {
  /** Tokens that the next engine was given of what was said: part of its prompt, and part of the answer. */
  readonly prefilled: number;
  /** The limit, where it was reached already: what the next engine generated does not count. */
  readonly reached: number | undefined;
}

/** Usage of the whole answer from that of the engine that went on, in the words of chat and completions. */
export function joinedUsage(usage: JsonObject, split: TokenSplit): JsonObject {
  const prompt = asCount(usage["prompt_tokens"]);
  if (prompt === undefined) return usage;
  const promptTokens = promptOf(prompt, split);
  const completion = answerOf(asCount(usage["completion_tokens"]) ?? 0, split);
  const details = asObject(usage["prompt_tokens_details"]);
  const cached = asCount(details?.["cached_tokens"]);
  return {
    ...usage,
    // What was said may have been in the next engine's cache too, and is no part of the client's prompt.
    ...(cached === undefined
      ? {}
      : { prompt_tokens_details: { ...details, cached_tokens: Math.min(cached, promptTokens) } }),
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
  };
}

/** Tokens of the client's own prompt. */
export const promptOf = (prompt: number, { prefilled }: TokenSplit): number =>
  Math.max(0, prompt - prefilled);

/** Tokens of the whole answer. */
export const answerOf = (generated: number, { prefilled, reached }: TokenSplit): number =>
  reached ?? prefilled + generated;
