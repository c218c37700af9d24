import type { TokenUsage } from "./answer.ts";
import type { JsonObject } from "./dialect.ts";

const NONE: TokenUsage = { promptTokens: 0, completionTokens: 0 };

/** `usage` of a chat answer; details only where they are known. */
export function chatUsage(usage: TokenUsage = NONE): JsonObject {
  const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  const cached = cachedTokens === undefined ? {} : { cached_tokens: cachedTokens };
  const written = cacheWriteTokens === undefined ? {} : { cache_write_tokens: cacheWriteTokens };
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(cachedTokens === undefined && cacheWriteTokens === undefined
      ? {}
      : { prompt_tokens_details: { ...cached, ...written } }),
    ...(reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  };
}

/** `usage` of a responses answer. */
export const responsesUsage = (usage: TokenUsage = NONE): JsonObject => ({
  input_tokens: usage.promptTokens,
  input_tokens_details: {
    cached_tokens: usage.cachedTokens ?? 0,
    cache_write_tokens: usage.cacheWriteTokens ?? 0,
  },
  output_tokens: usage.completionTokens,
  output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
  total_tokens: usage.promptTokens + usage.completionTokens,
});

/** The members of Anthropic's usage that an answer's first and last event share. */
export function messagesDeltaUsage(usage: TokenUsage = NONE): JsonObject {
  const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  return {
    input_tokens: Math.max(0, promptTokens - (cachedTokens ?? 0) - (cacheWriteTokens ?? 0)),
    cache_creation_input_tokens: cacheWriteTokens ?? null,
    cache_read_input_tokens: cachedTokens ?? null,
    output_tokens: completionTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  };
}

/** `usage` of a whole message of Anthropic's dialect. */
export const messagesUsage = (usage: TokenUsage | undefined): JsonObject => ({
  ...messagesDeltaUsage(usage),
  cache_creation: null,
  inference_geo: null,
  service_tier: null,
  speed: null,
});
