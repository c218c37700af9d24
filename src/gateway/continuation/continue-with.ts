import type { EngineDialect, EngineSurface } from "../../engines/surface.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import { ChunkJoiner } from "./chunk-joiner.ts";
import type { Continuation, Said } from "./continuation.ts";
import { asCount, asList, asObject } from "./fields.ts";
import { promptText, whyImpossible } from "./impossible.ts";
import { MessageJoiner } from "./message-joiner.ts";

/** Members of chat that make the last message a begun one; for `messages` translated to chat they are added afterwards. */
export const continuationFlags = ({ continuesChat }: EngineSurface): JsonObject =>
  continuesChat === "continue-final-message"
    ? { continue_final_message: true, add_generation_prompt: false }
    : {};

/** How the prompt ends that the next engine is given, and which end of the text it was not given. */
interface Prefilled {
  readonly body: JsonObject;
  readonly overlap: string;
  readonly flags: JsonObject;
}

/**
 * How an engine goes on with a cut answer: `request` is what the first engine was asked in the lane's dialect, `said`
 * what the client has, `surface` the next engine's. The body is in the lane's dialect too. `usageWanted` is false where
 * usage must not go out.
 */
export function continueWith(
  request: JsonObject,
  lane: EngineDialect,
  said: Said | undefined,
  surface: EngineSurface,
  usageWanted = true,
): Continuation {
  if (said === undefined) return { impossible: "what was said is more than is kept, or was not understood" };
  if (said.finished) return { impossible: "it was finished already" };
  const nothing = said.text === "" && said.reasoning === "" && !said.toolCall && !said.several;
  const reason = nothing ? undefined : whyImpossible(request, lane, said, surface);
  if (reason !== undefined) return { impossible: reason };
  const prefilled = nothing ? unchanged(request) : prefill(request, lane, said, surface);
  if (typeof prefilled === "string") return { impossible: prefilled };
  const { limits, exhausted } = remaining(request, lane, said, surface);
  const options = { said, overlap: prefilled.overlap, exhausted, usageWanted };
  return {
    body: { ...prefilled.body, ...limits, ...streamed(request, lane) },
    joiner: lane === "messages" ? new MessageJoiner(options) : new ChunkJoiner(lane, options),
    flags: prefilled.flags,
  };
}

const unchanged = (request: JsonObject, overlap = ""): Prefilled => ({ body: request, overlap, flags: {} });

function prefill(
  request: JsonObject,
  lane: EngineDialect,
  said: Said,
  surface: EngineSurface,
): Prefilled | string {
  if (lane === "completions") {
    const prompt = `${promptText(request) ?? ""}${said.text}`;
    return { body: { ...request, prompt }, overlap: "", flags: {} };
  }
  const strips = surface.prefill === "by-template" || surface.prefill === "text-only";
  const text = strips ? said.text.trimEnd() : said.text;
  const overlap = said.text.slice(text.length);
  if (text === "" && said.reasoning === "") return unchanged(request, overlap);
  const flags = continuationFlags(surface);
  const messages = [...asList(request["messages"])];
  const last = asObject(messages.at(-1));
  const begun = last?.["role"] === "assistant" ? last : undefined;
  if (lane === "messages") {
    const content = [...blocksOf(begun?.["content"]), ...saidBlocks(said.reasoning, text)];
    messages.splice(begun === undefined ? messages.length : -1, 1, { role: "assistant", content });
    return { body: { ...request, messages }, overlap, flags };
  }
  if (begun !== undefined) {
    // Some engines take it for a begun message and others for a whole one: which the first did is not known.
    if (request["continue_final_message"] !== true)
      return "the request itself ends with a message of the assistant";
    if (typeof begun["content"] !== "string") return "the begun message of the request is not one text";
  }
  const content = `${typeof begun?.["content"] === "string" ? begun["content"] : ""}${text}`;
  // Engines of one kind read the one name or the other.
  const thought =
    said.reasoning === "" ? {} : { reasoning_content: said.reasoning, reasoning: said.reasoning };
  messages.splice(begun === undefined ? messages.length : -1, 1, {
    ...begun,
    role: "assistant",
    content,
    ...thought,
  });
  return { body: { ...request, messages, ...flags }, overlap, flags };
}

const blocksOf = (content: unknown): readonly unknown[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : asList(content);

const saidBlocks = (thinking: string, text: string): readonly JsonObject[] => [
  ...(thinking === "" ? [] : [{ type: "thinking", thinking, signature: "" }]),
  ...(text === "" ? [] : [{ type: "text", text }]),
];

/** Limits less what was said, at least 1 each; `exhausted` when nothing was left of one. */
function remaining(
  request: JsonObject,
  lane: EngineDialect,
  said: Said,
  surface: EngineSurface,
): { readonly limits: JsonObject; readonly exhausted: boolean } {
  const given = ["max_tokens", "max_completion_tokens"].flatMap((name) => {
    const limit = asCount(request[name]);
    return limit === undefined ? [] : [[name, limit] as const];
  });
  const own = surface.defaultCompletionTokens;
  if (lane === "completions" && given.length === 0 && own !== undefined) given.push(["max_tokens", own]);
  const least = asCount(request["min_tokens"]);
  return {
    limits: {
      ...Object.fromEntries(given.map(([name, limit]) => [name, Math.max(1, limit - said.deltas)])),
      ...(least === undefined ? {} : { min_tokens: Math.max(0, least - said.deltas) }),
    },
    exhausted: said.deltas > 0 && given.some(([, limit]) => limit <= said.deltas),
  };
}

const streamed = (request: JsonObject, lane: EngineDialect): JsonObject =>
  lane === "messages"
    ? { stream: true }
    : { stream: true, stream_options: { ...asObject(request["stream_options"]), include_usage: true } };
