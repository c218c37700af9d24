import type { JsonObject } from "../../dialects/dialect.ts";
import { asCount } from "./fields.ts";

/** Tokens of the part that was said before, as far as events tell: one a delta. */
export interface SaidTokens {
  readonly said: number;
  /** Said ones that the next engine generated once more. */
  readonly again: number;
  /** The limit was reached already: what the next engine generated does not count. */
  readonly exhausted: boolean;
}

/** Usage of the whole answer from that of the engine that went on, whose prompt held what was said. */
export function joinedUsage(usage: JsonObject, { said, again, exhausted }: SaidTokens): JsonObject {
  const prompt = asCount(usage["prompt_tokens"]);
  if (prompt === undefined) return usage;
  const own = exhausted ? 0 : (asCount(usage["completion_tokens"]) ?? 0);
  const prefilled = Math.max(0, said - again);
  const promptTokens = Math.max(0, prompt - prefilled);
  const completion = prefilled + own;
  return {
    ...usage,
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
  };
}
