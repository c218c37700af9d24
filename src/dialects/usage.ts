import type { TokenUsage } from "./answer.ts";
import type { Dialect, JsonObject } from "./dialect.ts";
import { countOr, isObject } from "./fields.ts";

/** The usage of a whole answer; `undefined` when the engine counted nothing. */
export const readUsage = (dialect: Dialect, body: JsonObject): TokenUsage | undefined =>
  readUsageObject(dialect, body["usage"]);

/**
 * The usage after an event of a stream (parsed): what was known before it, with what the event tells. Anthropic tells the
 * prompt at the start and the answer at the end.
 */
export function readEventUsage(
  dialect: Dialect,
  event: JsonObject,
  known?: TokenUsage,
): TokenUsage | undefined {
  switch (dialect) {
    case "chat":
    case "completions":
      return readUsageObject(dialect, event["usage"]) ?? known;
    case "responses": {
      const { response } = event;
      return (isObject(response) ? readUsageObject(dialect, response["usage"]) : undefined) ?? known;
    }
    case "messages": {
      const { message } = event;
      const usage = event["usage"] ?? (isObject(message) ? message["usage"] : undefined);
      return isObject(usage) ? messagesUsage(usage, known) : known;
    }
  }
}

/** Reads a dialect's `usage` object. */
function readUsageObject(dialect: Dialect, usage: unknown): TokenUsage | undefined {
  if (!isObject(usage)) return undefined;
  if (dialect === "messages") return messagesUsage(usage, undefined);
  const [prompt, completion] =
    dialect === "responses"
      ? [usage["input_tokens"], usage["output_tokens"]]
      : [usage["prompt_tokens"], usage["completion_tokens"]];
  const promptTokens = countOr(prompt);
  if (promptTokens === undefined) return undefined;
  const input = usage[dialect === "responses" ? "input_tokens_details" : "prompt_tokens_details"];
  const output = usage[dialect === "responses" ? "output_tokens_details" : "completion_tokens_details"];
  return tokens({
    promptTokens,
    completionTokens: countOr(completion) ?? 0,
    cachedTokens: isObject(input) ? countOr(input["cached_tokens"]) : undefined,
    cacheWriteTokens: isObject(input) ? countOr(input["cache_write_tokens"]) : undefined,
    reasoningTokens: isObject(output) ? countOr(output["reasoning_tokens"]) : undefined,
  });
}

/** Anthropic's input_tokens are those that were neither read from a cache nor written to one. */
function messagesUsage(usage: JsonObject, known: TokenUsage | undefined): TokenUsage | undefined {
  const read = countOr(usage["cache_read_input_tokens"]) ?? known?.cachedTokens;
  const written = countOr(usage["cache_creation_input_tokens"]) ?? known?.cacheWriteTokens;
  const fresh = countOr(usage["input_tokens"]);
  const output = countOr(usage["output_tokens"]) ?? known?.completionTokens;
  if (fresh === undefined && known === undefined && output === undefined) return undefined;
  const details = usage["output_tokens_details"];
  const before =
    known === undefined ? 0 : known.promptTokens - (known.cachedTokens ?? 0) - (known.cacheWriteTokens ?? 0);
  return tokens({
    promptTokens: (fresh ?? before) + (read ?? 0) + (written ?? 0),
    completionTokens: output ?? 0,
    cachedTokens: read,
    cacheWriteTokens: written,
    reasoningTokens: isObject(details) ? countOr(details["thinking_tokens"]) : known?.reasoningTokens,
  });
}

interface Counted {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number | undefined;
  readonly cacheWriteTokens: number | undefined;
  readonly reasoningTokens: number | undefined;
}

function tokens(counted: Counted): TokenUsage {
  const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = counted;
  return {
    promptTokens,
    completionTokens,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
}
