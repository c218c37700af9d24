import type { TokenLogprobs } from "./generation.ts";
import type { NativeContext, NativeSampler } from "./native.ts";

/**
 * The log probability of the chosen token and of the `top` best ones, from the raw logits at `index`:
 * logit − max − ln Σ exp(logit − max).
 */
export async function readLogprobs(
  native: NativeContext,
  index: number,
  observer: NativeSampler,
  token: number,
  top: number,
): Promise<TokenLogprobs> {
  const best = Math.max(1, top);
  const wanted = [[token], false, false, false, best] as const;
  const [, , , logits = [], weight = 1] = await native.sampleToken(
    index,
    observer,
    false,
    false,
    wanted,
    true,
  );
  const max = logits[1] ?? 0;
  const normaliser = max + Math.log(weight);
  const pairs: { token: number; logprob: number }[] = [];
  for (let i = 0; i + 1 < logits.length; i += 2) {
    pairs.push({ token: logits[i] ?? 0, logprob: (logits[i + 1] ?? 0) - normaliser });
  }
  const own = pairs.find((pair) => pair.token === token);
  return { logprob: own?.logprob ?? Number.NEGATIVE_INFINITY, top: pairs.slice(0, top) };
}
