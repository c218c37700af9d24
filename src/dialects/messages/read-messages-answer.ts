import type { Answer, AnswerPart } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { isList, isObject, textOr } from "../fields.ts";
import { readStopReason } from "../finish.ts";
import { DialectError } from "../translation.ts";
import { readUsage } from "../usage.ts";

/** A whole message of an engine. Throws `DialectError` when it has no content. */
export function readMessagesAnswer(body: JsonObject): Answer {
  if (!isList(body["content"])) {
    throw new DialectError("content", "The engine's answer has no list of content blocks.");
  }
  const usage = readUsage("messages", body);
  const stopSequence = textOr(body["stop_sequence"]);
  return {
    id: textOr(body["id"]) ?? "",
    model: textOr(body["model"]) ?? "",
    created: 0,
    parts: body["content"].filter(isObject).flatMap((block) => blockParts(block)),
    finish: readStopReason(textOr(body["stop_reason"]) ?? "end_turn"),
    ...(stopSequence === undefined ? {} : { stopSequence }),
    ...(usage === undefined ? {} : { usage }),
  };
}

/** Blocks of tools that Anthropic's servers ran have no word elsewhere, and cannot come: such tools are refused. */
function blockParts(block: JsonObject): AnswerPart[] {
  const { type, text, thinking, signature, data, id, name, input } = block;
  switch (type) {
    case "text":
      return typeof text === "string" && text !== "" ? [{ type: "text", text }] : [];
    case "thinking":
      if (typeof thinking !== "string") return [];
      return [{ type: "reasoning", text: thinking, ...(typeof signature === "string" ? { signature } : {}) }];
    case "redacted_thinking":
      return typeof data === "string" ? [{ type: "redacted", data }] : [];
    case "tool_use":
      return [
        {
          type: "call",
          id: textOr(id) ?? "",
          name: textOr(name) ?? "",
          arguments: JSON.stringify(input ?? {}),
        },
      ];
    default:
      return [];
  }
}
