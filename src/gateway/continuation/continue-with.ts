import type { EngineDialect, EngineSurface } from "../../engines/surface.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import { ChunkJoiner } from "./chunk-joiner.ts";
import type { Continuation, Said } from "./continuation.ts";
import { asCount, asList, asObject, asText } from "./fields.ts";
import { promptText, whyImpossible } from "./impossible.ts";
import { MessageJoiner } from "./message-joiner.ts";
import { wholeTokens } from "./whole-tokens.ts";

/** Members of chat that make the last message a begun one; for `messages` translated to chat they are added afterwards. */
const continuationFlags = ({ continuesChat }: EngineSurface): JsonObject =>
  continuesChat === "continue-final-message"
    ? { continue_final_message: true, add_generation_prompt: false }
    : {};

interface ContinueOptions {
  /** False where usage must not go out. */
  readonly usageWanted?: boolean;
  /** False after an engine was refused that did not say a half word again as it was: then the half word is given to it. */
  readonly heals?: boolean;
  /**
   * Tokens of `prefilledText` by the next engine's tokenizer, where it was asked: limits and usage then hold to the token.
   * Otherwise a delta counts as one, of which there are fewer (a character of four bytes may be four tokens in one delta).
   */
  readonly prefilledTokens?: number | undefined;
}

/**
 * How an engine goes on with a cut answer: `request` is what the first engine was asked in the lane's dialect, `said`
 * what the client has, `surface` the next engine's. The body is in the lane's dialect too.
 */
export function continueWith(
  request: JsonObject,
  lane: EngineDialect,
  said: Said | undefined,
  surface: EngineSurface,
  { usageWanted = true, heals = true, prefilledTokens }: ContinueOptions = {},
): Continuation {
  if (said === undefined) return { impossible: "what was said is more than is kept, or was not understood" };
  if (said.finished) return { impossible: "it was finished already" };
  const nothing = said.text === "" && said.reasoning === "" && !said.toolCall && !said.several;
  const reason = nothing ? undefined : whyImpossible(request, lane, said, surface);
  if (reason !== undefined) return { impossible: reason };
  const text = givenText(request, lane, said.text, surface, heals);
  const overlap = said.text.slice(text.length);
  const given = { ...said, text };
  const prefilled =
    text === "" && said.reasoning === ""
      ? { body: request, flags: {} }
      : prefill(request, lane, given, surface);
  if (typeof prefilled === "string") return { impossible: prefilled };
  const before = prefilledTokens ?? estimate(said, overlap);
  // A delta is a token at least; what is said again is not counted here.
  const least = Math.max(said.deltas, overlap === "" ? before : 0);
  const { limits, reached } = remaining(request, lane, { before, least }, surface);
  const tokens = { prefilled: before, reached };
  const options = { said, overlap, tokens, usageWanted };
  return {
    body: { ...prefilled.body, ...limits, ...streamed(request, lane) },
    joiner: lane === "messages" ? new MessageJoiner(options) : new ChunkJoiner(lane, options),
    flags: prefilled.flags,
  };
}

/** What the next engine is given of the answer, thinking first: the text whose tokens are worth counting. */
export const prefilledText = (
  request: JsonObject,
  lane: EngineDialect,
  said: Said,
  surface: EngineSurface,
  { heals = true }: ContinueOptions = {},
): string => said.reasoning + givenText(request, lane, said.text, surface, heals);

/** Where the text may be cut: behind its last whole token, and before white space that would not get there. */
function givenText(
  request: JsonObject,
  lane: EngineDialect,
  text: string,
  { prefill: form }: EngineSurface,
  heals: boolean,
): string {
  const whole = heals ? text.slice(0, wholeTokens(request, text)) : text;
  const strips = lane !== "completions" && (form === "by-template" || form === "text-only");
  return strips ? whole.trimEnd() : whole;
}

/** Tokens that were given, by the share of the deltas that they make up. */
function estimate({ deltas, text, reasoning }: Said, overlap: string): number {
  const all = text.length + reasoning.length;
  return all === 0 ? 0 : Math.round((deltas * (all - overlap.length)) / all);
}

interface Prefilled {
  readonly body: JsonObject;
  readonly flags: JsonObject;
}

function prefill(
  request: JsonObject,
  lane: EngineDialect,
  { text, reasoning }: Said,
  surface: EngineSurface,
): Prefilled | string {
  if (lane === "completions") {
    return { body: { ...request, prompt: `${promptText(request) ?? ""}${text}` }, flags: {} };
  }
  const flags = continuationFlags(surface);
  const messages = [...asList(request["messages"])];
  const last = asObject(messages.at(-1));
  const begun = last?.["role"] === "assistant" ? last : undefined;
  if (lane === "messages") {
    const content = [...blocksOf(begun?.["content"]), ...saidBlocks(reasoning, text)];
    messages.splice(begun === undefined ? messages.length : -1, 1, { role: "assistant", content });
    return { body: { ...request, messages }, flags };
  }
  if (begun !== undefined) {
    // Some engines take it for a begun message and others for a whole one: which the first did is not known.
    if (request["continue_final_message"] !== true)
      return "the request itself ends with a message of the assistant";
    if (typeof begun["content"] !== "string") return "the begun message of the request is not one text";
  }
  const content = `${asText(begun?.["content"])}${text}`;
  // Engines of one kind read the one name or the other.
  const thought = reasoning === "" ? {} : { reasoning_content: reasoning, reasoning };
  messages.splice(begun === undefined ? messages.length : -1, 1, {
    ...begun,
    role: "assistant",
    content,
    ...thought,
  });
  return { body: { ...request, messages, ...flags }, flags };
}

const blocksOf = (content: unknown): readonly unknown[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : asList(content);

const saidBlocks = (thinking: string, text: string): readonly JsonObject[] => [
  ...(thinking === "" ? [] : [{ type: "thinking", thinking, signature: "" }]),
  ...(text === "" ? [] : [{ type: "text", text }]),
];

/** Limits less what was said, at least 1 each; `reached` is the one of which nothing was left. */
function remaining(
  request: JsonObject,
  lane: EngineDialect,
  { before, least }: { readonly before: number; readonly least: number },
  surface: EngineSurface,
): { readonly limits: JsonObject; readonly reached: number | undefined } {
  const given = ["max_tokens", "max_completion_tokens"].flatMap((name) => {
    const limit = asCount(request[name]);
    return limit === undefined ? [] : [[name, limit] as const];
  });
  const own = surface.defaultCompletionTokens;
  if (lane === "completions" && given.length === 0 && own !== undefined) given.push(["max_tokens", own]);
  const minimum = asCount(request["min_tokens"]);
  return {
    limits: {
      ...Object.fromEntries(given.map(([name, limit]) => [name, Math.max(1, limit - before)])),
      ...(minimum === undefined ? {} : { min_tokens: Math.max(0, minimum - before) }),
    },
    reached: least === 0 ? undefined : given.map(([, limit]) => limit).find((limit) => limit <= least),
  };
}

const streamed = (request: JsonObject, lane: EngineDialect): JsonObject =>
  lane === "messages"
    ? { stream: true }
    : { stream: true, stream_options: { ...asObject(request["stream_options"]), include_usage: true } };
