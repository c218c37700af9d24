/** Tokens of one answer as the engine counted them. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompt's, those that the engine had in its cache. */
  readonly cachedTokens?: number;
}

const USAGE = Buffer.from('"usage"');
/** A usage object of any known engine is far smaller; this bounds the search for its end. */
const MAX_USAGE = 4096;

/** Finds the last `"usage":{…}` in the bytes of an answer without parsing the rest; `undefined` when there is none. */
export function findUsage(bytes: Buffer): Usage | undefined {
  for (let at = bytes.lastIndexOf(USAGE); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(USAGE, at - 1)) {
    const text = bytes.toString("latin1", at + USAGE.length, at + USAGE.length + MAX_USAGE);
    if (!/^\s*:\s*\{/.test(text)) continue;
    const usage = openAiUsage(text) ?? anthropicUsage(text);
    if (usage !== undefined) return usage;
  }
  return undefined;
}

/** Chat and completions; embeddings and rerank have no completion tokens. */
function openAiUsage(text: string): Usage | undefined {
  const prompt = numberOf(text, /"prompt_tokens"\s*:\s*(\d+)/);
  if (prompt === undefined) return undefined;
  const cached = numberOf(text, /"cached_tokens"\s*:\s*(\d+)/);
  return {
    promptTokens: prompt,
    completionTokens: numberOf(text, /"completion_tokens"\s*:\s*(\d+)/) ?? 0,
    ...(cached === undefined ? {} : { cachedTokens: cached }),
  };
}

/** Messages and responses. Anthropic's `input_tokens` are those that were not in the cache. */
function anthropicUsage(text: string): Usage | undefined {
  const input = numberOf(text, /"input_tokens"\s*:\s*(\d+)/);
  const output = numberOf(text, /"output_tokens"\s*:\s*(\d+)/);
  if (input === undefined && output === undefined) return undefined;
  const read = numberOf(text, /"cache_read_input_tokens"\s*:\s*(\d+)/) ?? 0;
  const made = numberOf(text, /"cache_creation_input_tokens"\s*:\s*(\d+)/) ?? 0;
  return {
    promptTokens: (input ?? 0) + read + made,
    completionTokens: output ?? 0,
    ...(read === 0 ? {} : { cachedTokens: read }),
  };
}

function numberOf(text: string, pattern: RegExp): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Anthropic tells the prompt's tokens in the first event and the answer's in the last: the greater of each is right. */
export function laterUsage(before: Usage | undefined, now: Usage | undefined): Usage | undefined {
  if (before === undefined || now === undefined) return now ?? before;
  const cached = now.cachedTokens ?? before.cachedTokens;
  return {
    promptTokens: Math.max(before.promptTokens, now.promptTokens),
    completionTokens: Math.max(before.completionTokens, now.completionTokens),
    ...(cached === undefined ? {} : { cachedTokens: cached }),
  };
}
