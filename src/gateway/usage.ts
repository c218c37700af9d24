/** Tokens of one answer as the engine counted them. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

const USAGE = Buffer.from('"usage"');
/** A usage object of any known engine is far smaller; this bounds the search for its end. */
const MAX_USAGE = 4096;

/** Finds the last `"usage":{…}` in the bytes of an answer without parsing the rest; `undefined` when there is none. */
export function findUsage(bytes: Buffer): Usage | undefined {
  for (let at = bytes.lastIndexOf(USAGE); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(USAGE, at - 1)) {
    const text = bytes.toString("latin1", at + USAGE.length, at + USAGE.length + MAX_USAGE);
    if (!/^\s*:\s*\{/.test(text)) continue;
    const prompt = /"prompt_tokens"\s*:\s*(\d+)/.exec(text)?.[1];
    if (prompt === undefined) continue;
    const completion = /"completion_tokens"\s*:\s*(\d+)/.exec(text)?.[1];
    return { promptTokens: Number(prompt), completionTokens: Number(completion ?? 0) };
  }
  return undefined;
}
