import type { Answer, AnswerPart, Finish } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { countOr, isList, isObject, textOr } from "../fields.ts";
import { readFinishReason } from "../finish.ts";
import { DialectError } from "../translation.ts";
import { readUsage } from "../usage.ts";

/** A whole chat answer of an engine. Throws `DialectError` when it has no choice. */
export function readChatAnswer(body: JsonObject): Answer {
  const choice = isList(body["choices"]) ? body["choices"].find(isObject) : undefined;
  const message = choice?.["message"];
  if (choice === undefined || !isObject(message)) {
    throw new DialectError("choices", "The engine's answer has no choices[0].message.");
  }
  const usage = readUsage("chat", body);
  const { finish, stopSequence } = chatFinish(choice, textOr(choice["finish_reason"]) ?? "stop");
  const parts = messageParts(message, textOr(body["id"]) ?? "");
  return {
    id: textOr(body["id"]) ?? "",
    model: textOr(body["model"]) ?? "",
    created: countOr(body["created"]) ?? 0,
    parts,
    // Some engines say "stop" where they called tools.
    finish: finish === "stop" && parts.some((part) => part.type === "call") ? "tool" : finish,
    ...(stopSequence === undefined ? {} : { stopSequence }),
    ...(usage === undefined ? {} : { usage }),
  };
}

/** Why a choice ended; vLLM (`stop_reason`) and SGLang (`matched_stop`) tell which stop sequence it was. */
export function chatFinish(
  choice: JsonObject,
  reason: string,
): { readonly finish: Finish; readonly stopSequence?: string } {
  const finish = readFinishReason(reason);
  const stopSequence = textOr(choice["stop_reason"]) ?? textOr(choice["matched_stop"]);
  return finish === "stop" && stopSequence !== undefined
    ? { finish: "stop_sequence", stopSequence }
    : { finish };
}

/** Thinking as llama-server and SGLang name it, and vLLM since 0.12. */
export const reasoningOf = (message: JsonObject): string | undefined =>
  textOr(message["reasoning_content"]) ?? textOr(message["reasoning"]);

function messageParts(message: JsonObject, answer: string): AnswerPart[] {
  const parts = thoughtParts(message);
  for (const text of texts(message["content"])) parts.push({ type: "text", text });
  const refusal = textOr(message["refusal"]);
  if (refusal !== undefined && refusal !== "") parts.push({ type: "refusal", text: refusal });
  const calls = isList(message["tool_calls"]) ? message["tool_calls"].filter(isObject) : [];
  calls.forEach((call, at) => {
    const called = call["function"];
    if (!isObject(called)) return;
    const args = called["arguments"];
    parts.push({
      type: "call",
      id: textOr(call["id"]) || `call_${answer}_${at}`,
      name: textOr(called["name"]) ?? "",
      // Some engines give the object itself.
      arguments: typeof args === "string" ? args : JSON.stringify(args ?? {}),
    });
  });
  return parts;
}

/** `thinking_blocks` carry Anthropic's signatures through a chat; engines of their own have `reasoning_content` alone. */
function thoughtParts(message: JsonObject): AnswerPart[] {
  const blocks = isList(message["thinking_blocks"]) ? message["thinking_blocks"].filter(isObject) : [];
  const parts = blocks.flatMap((block): AnswerPart[] => {
    const { thinking, signature, data } = block;
    if (block["type"] === "redacted_thinking" && typeof data === "string")
      return [{ type: "redacted", data }];
    if (typeof thinking !== "string") return [];
    return [{ type: "reasoning", text: thinking, ...(typeof signature === "string" ? { signature } : {}) }];
  });
  const reasoning = reasoningOf(message);
  const told = parts.some((part) => part.type === "reasoning");
  if (told || reasoning === undefined || reasoning === "") return parts;
  return [{ type: "reasoning", text: reasoning }, ...parts];
}

function texts(content: unknown): string[] {
  if (typeof content === "string") return content === "" ? [] : [content];
  if (!isList(content)) return [];
  return content.flatMap((part) =>
    isObject(part) && typeof part["text"] === "string" && part["text"] !== "" ? [part["text"]] : [],
  );
}
