import type { Generation } from "./generation.ts";

/** Token counts in the OpenAI form. A prompt counts once, however many choices continue it. */
export function usageOf(generations: readonly Generation[]): Record<string, unknown> {
  const first = new Map(
    generations.map((generation) => [generation.request.prompt, generation] as const).toReversed(),
  );
  let prompt = 0;
  let cached = 0;
  for (const [tokens, generation] of first) {
    prompt += tokens.length;
    cached += generation.cachedTokens;
  }
  const completion = generations.reduce((sum, generation) => sum + generation.produced, 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
  };
}
