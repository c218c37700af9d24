import type { ScoredToken } from "./choice-output.ts";
import type { TokenTexts } from "./text-decoder.ts";

/** The `logprobs` object of a chat choice. */
export function chatLogprobs(texts: TokenTexts, scored: readonly ScoredToken[]): Record<string, unknown> {
  return {
    content: scored.map(({ token, logprobs }) => ({
      ...entry(texts, token, logprobs.logprob),
      top_logprobs: logprobs.top.map((other) => entry(texts, other.token, other.logprob)),
    })),
    refusal: null,
  };
}

function entry(texts: TokenTexts, token: number, logprob: number): Record<string, unknown> {
  const text = texts.join([token]);
  // JSON has no infinity; OpenAI writes -9999 for "practically never".
  return { token: text, logprob: Math.max(logprob, -9999), bytes: [...texts.bytes(token)] };
}
