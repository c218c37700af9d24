import type { JsonObject } from "../dialect.ts";
import { isObject } from "../fields.ts";

export type ItemStatus = "in_progress" | "completed" | "incomplete";

export const textPart = (text: string): JsonObject => ({
  type: "output_text",
  text,
  annotations: [],
  logprobs: [],
});

export const refusalPart = (refusal: string): JsonObject => ({ type: "refusal", refusal });

export const messageItem = (id: string, status: ItemStatus, content: readonly JsonObject[]): JsonObject => ({
  type: "message",
  id,
  status,
  role: "assistant",
  content,
});

export const callItem = (
  id: string,
  status: ItemStatus,
  call: { readonly id: string; readonly name: string; readonly arguments: string },
): JsonObject => ({
  type: "function_call",
  id,
  status,
  call_id: call.id,
  name: call.name,
  arguments: call.arguments,
});

/** Where the thinking of an answer is told: as it is, or as the summary that the client asked for. */
export type ReasoningPlace = "content" | "summary";

/** A client that asks for a summary reads nothing else; open engines have their whole thinking to tell. */
export function reasoningPlace(request: JsonObject): ReasoningPlace {
  const { reasoning } = request;
  const summary = isObject(reasoning) ? (reasoning["summary"] ?? reasoning["generate_summary"]) : undefined;
  return typeof summary === "string" ? "summary" : "content";
}

/** `encrypted` goes back to the engine with the item (see `proof.ts`). */
export function reasoningItem(
  id: string,
  status: ItemStatus,
  place: ReasoningPlace,
  text: string,
  encrypted: string | undefined,
): JsonObject {
  const told = text === "" ? [] : [{ type: place === "summary" ? "summary_text" : "reasoning_text", text }];
  return {
    type: "reasoning",
    id,
    status,
    summary: place === "summary" ? told : [],
    ...(place === "content" ? { content: told } : {}),
    encrypted_content: encrypted ?? null,
  };
}
