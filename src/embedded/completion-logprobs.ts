import type { ScoredToken } from "./choice-output.ts";
import type { TokenTexts } from "./text-decoder.ts";

/** The `logprobs` object of a text completion choice. `offset` is where the first token's text begins. */
export function completionLogprobs(
  texts: TokenTexts,
  scored: readonly ScoredToken[],
  offset: number,
): Record<string, unknown> {
  const tokens = scored.map(({ token }) => texts.join([token]));
  let at = offset;
  return {
    tokens,
    token_logprobs: scored.map(({ logprobs }) => Math.max(logprobs.logprob, -9999)),
    top_logprobs: scored.map(({ logprobs }) =>
      Object.fromEntries(
        logprobs.top.map(({ token, logprob }) => [texts.join([token]), Math.max(logprob, -9999)]),
      ),
    ),
    text_offset: tokens.map((text) => {
      const start = at;
      at += text.length;
      return start;
    }),
  };
}
