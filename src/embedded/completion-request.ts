import { badParameter } from "./api-error.ts";
import { requireLength } from "./engine.ts";
import { booleanField, integerField, objectField, show, stringField } from "./fields.ts";
import type { LoadedModel } from "./load-model.ts";
import type { Sampling } from "./sampling.ts";
import { readChoices, readMaxTokens, readSampling, readStops } from "./sampling-request.ts";
import { readTokens } from "./token-endpoints.ts";

type Body = Readonly<Record<string, unknown>>;

/** A text completion request, checked. */
export interface CompletionRequest {
  /** One row of tokens for each prompt. */
  readonly prompts: readonly (readonly number[])[];
  readonly sampling: Sampling;
  readonly stops: readonly string[];
  readonly maxTokens: number;
  readonly choices: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly topLogprobs: number | undefined;
  readonly echo: boolean;
}

/** OpenAI's default for this endpoint. */
const DEFAULT_MAX_TOKENS = 16;

/** Checks the body of POST /v1/completions. The prompt is the caller's own template, so special tokens in it count. */
export function readCompletionRequest(
  body: Body,
  model: LoadedModel,
  mostChoices: number,
): CompletionRequest {
  refuse(body, "suffix", "this engine does not fill in the middle.");
  const prompts = readPrompts(body["prompt"], model);
  const topLogprobs = integerField(body, "logprobs", [0, 20]);
  const echo = booleanField(body, "echo") ?? false;
  if (echo && topLogprobs !== undefined) {
    throw badParameter("echo", "echo together with logprobs is not available: prompt tokens are not scored.");
  }
  const bestOf = integerField(body, "best_of", [1, 100]) ?? 1;
  const choices = readChoices(body, Math.max(1, Math.floor(mostChoices / prompts.length)));
  if (bestOf > choices)
    throw badParameter(
      "best_of",
      `best_of is ${bestOf}; this engine returns every choice it makes, so best_of cannot exceed n.`,
    );
  return {
    prompts,
    sampling: readSampling(body, model.outline.vocabulary),
    stops: readStops(body),
    maxTokens: readMaxTokens(body) ?? DEFAULT_MAX_TOKENS,
    choices,
    stream: booleanField(body, "stream") ?? false,
    includeUsage: booleanField(objectField(body, "stream_options") ?? {}, "include_usage") ?? false,
    topLogprobs,
    echo,
  };
}

function refuse(body: Body, field: string, why: string): void {
  const value = stringField(body, field);
  if (value !== undefined && value !== "") throw badParameter(field, `${field} is ${show(value)}; ${why}`);
}

/** A text, a list of texts, a list of tokens, or a list of such lists. */
function readPrompts(prompt: unknown, model: LoadedModel): number[][] {
  if (prompt === undefined || prompt === null)
    throw badParameter("prompt", "prompt is missing; give the text to continue.");
  const list: unknown[] = !Array.isArray(prompt) || typeof prompt[0] === "number" ? [prompt] : prompt;
  if (list.length === 0) throw badParameter("prompt", "prompt is an empty list.");
  return list.map((item) => {
    if (typeof item !== "string") return readTokens(item, "prompt", model.outline.vocabulary);
    requireLength(item, model.contextTokens, "prompt");
    const tokens = [...model.model.tokenize(item, true)];
    const begin = model.beginToken;
    if (begin !== undefined && tokens[0] !== begin) tokens.unshift(begin);
    return tokens;
  });
}
