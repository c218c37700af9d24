import type { Answer, AnswerPart } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { stopDetails, stopReason } from "../finish.ts";
import { answerId } from "../identity.ts";
import { parseArguments } from "../tool-arguments.ts";
import type { AnswerIdentity } from "../translation.ts";
import { messagesUsage } from "../usage-members.ts";

/** An answer as a whole message of Anthropic's dialect. */
export const writeMessagesAnswer = (answer: Answer, identity?: AnswerIdentity): JsonObject => ({
  ...openMessage(answerId("msg_", answer.id, identity), answer.model),
  content: answer.parts.map(block),
  stop_reason: stopReason(answer.finish),
  stop_details: stopDetails(answer.finish),
  stop_sequence: answer.stopSequence ?? null,
  usage: messagesUsage(answer.usage),
});

/** A message at its beginning, before it holds anything. */
export const openMessage = (id: string, model: string): JsonObject => ({
  id,
  type: "message",
  role: "assistant",
  model,
  content: [],
  container: null,
  diagnostics: null,
  stop_reason: null,
  stop_details: null,
  stop_sequence: null,
});

function block(part: AnswerPart): JsonObject {
  switch (part.type) {
    case "text":
    case "refusal":
      return { type: "text", text: part.text, citations: null };
    case "reasoning":
      return { type: "thinking", thinking: part.text, signature: part.signature ?? "" };
    case "redacted":
      return { type: "redacted_thinking", data: part.data };
    case "call":
      return toolUse(part.id, part.name, parseArguments(part.arguments));
  }
}

/** A call in an answer; `caller` says that no program of Anthropic's wrote it. */
export const toolUse = (id: string, name: string, input: JsonObject): JsonObject => ({
  type: "tool_use",
  id,
  name,
  input,
  caller: { type: "direct" },
});
