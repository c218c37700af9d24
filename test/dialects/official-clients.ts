import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

import type { Dialect, JsonObject, StreamTranslator } from "../../src/dialects/index.ts";
import { findTranslation, SseReader } from "../../src/dialects/index.ts";

/** A client of OpenAI's that is answered with this text, whatever it asks. */
export const openai = (wire: string): OpenAI =>
  new OpenAI({ apiKey: "none", maxRetries: 0, fetch: () => Promise.resolve(answerOf(wire)) });

/** A client of Anthropic's that is answered with this text, whatever it asks. */
export const anthropic = (wire: string): Anthropic =>
  new Anthropic({ apiKey: "none", maxRetries: 0, fetch: () => Promise.resolve(answerOf(wire)) });

const answerOf = (wire: string): Response =>
  new Response(wire, {
    headers: { "content-type": wire.startsWith("{") ? "application/json" : "text/event-stream" },
  });

/** What a client of `from` is sent for the events of an engine that speaks `to`. */
export function translated(
  from: Dialect,
  to: Dialect,
  events: readonly (JsonObject | string)[],
  request: JsonObject = {},
): string {
  const translator = streamOf(from, to, request);
  const said = events.map((event) =>
    translator.event(typeof event === "string" ? event : JSON.stringify(event)),
  );
  return said.join("") + translator.end();
}

/** A translator of streams. Throws where there is none. */
export function streamOf(from: Dialect, to: Dialect, request: JsonObject = {}): StreamTranslator {
  const way = findTranslation(from, to);
  if (way === undefined) throw new Error(`no way from ${from} to ${to}`);
  return way.stream(request);
}

/** The data of the events in a wire text. */
export const dataOf = (wire: string): string[] =>
  new SseReader().push(Buffer.from(wire)).map((event) => event.data);

const chunk = (choice: JsonObject): JsonObject => ({
  id: "chatcmpl-7",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: "qwen3",
  choices: [{ index: 0, finish_reason: null, ...choice }],
});

/** A chat chunk with a delta. */
export const delta = (members: JsonObject): JsonObject => chunk({ delta: members });

/** The last chunk with a choice. */
export const finished = (finish_reason: string, members: JsonObject = {}): JsonObject =>
  chunk({ delta: {}, finish_reason, ...members });

/** The chunk with the usage that comes behind it. */
export const counted: JsonObject = {
  id: "chatcmpl-7",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: "qwen3",
  choices: [],
  usage: {
    prompt_tokens: 12,
    completion_tokens: 34,
    total_tokens: 46,
    prompt_tokens_details: { cached_tokens: 5 },
  },
};

/** A delta of a tool call. */
export const callDelta = (index: number, called: JsonObject, id?: string): JsonObject =>
  delta({ tool_calls: [{ index, ...(id === undefined ? {} : { id, type: "function" }), function: called }] });
