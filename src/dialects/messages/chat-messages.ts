import type { JsonObject } from "../dialect.ts";
import { optionalFlag, present, requireList, requireObject, requireText, shown } from "../fields.ts";
import { DialectError } from "../translation.ts";
import type { ChatPart } from "./blocks.ts";
import { chatParts, contentBlocks, foldText, systemText, unknownBlock } from "./blocks.ts";

/** System prompt and turns of a messages request as the messages of a chat. Throws `DialectError`. */
export function chatMessages(body: JsonObject): JsonObject[] {
  const turns = requireList(body["messages"], "messages");
  if (turns.length === 0) throw new DialectError("messages", "messages: expected at least one message.");
  const out: JsonObject[] = [];
  if (body["system"] !== undefined && body["system"] !== null) {
    const text = systemText(body["system"], "system");
    if (text !== "") out.push({ role: "system", content: text });
  }
  turns.forEach((turn, at) => {
    const param = `messages[${at}]`;
    for (const message of turnMessages(requireObject(turn, param, "a message"), param)) out.push(message);
  });
  return out;
}

function turnMessages(turn: JsonObject, param: string): JsonObject[] {
  const content = `${param}.content`;
  switch (turn["role"]) {
    case "user":
      return userMessages(turn["content"], content);
    case "assistant":
      return [assistantMessage(contentBlocks(turn["content"], content), content)];
    case "system":
      return [{ role: "system", content: systemText(turn["content"], content) }];
    default:
      throw new DialectError(
        `${param}.role`,
        `${param}.role: expected "user", "assistant" or "system", found ${shown(turn["role"])}.`,
      );
  }
}

/** Results of tools come first, each a message of its own: they must follow the calls at once. */
function userMessages(content: unknown, param: string): JsonObject[] {
  if (typeof content === "string") return [{ role: "user", content }];
  const results: JsonObject[] = [];
  const parts: ChatPart[] = [];
  contentBlocks(content, param).forEach((block, at) => {
    const where = `${param}[${at}]`;
    if (block["type"] === "tool_result") results.push(toolMessage(block, where));
    else for (const part of chatParts(block, where)) parts.push(part);
  });
  if (parts.length === 0) return results;
  return [...results, { role: "user", content: foldText(parts, "\n") }];
}

/** No chat template knows `is_error`, so the model is told in words; the member itself is for those who translate back. */
function toolMessage(block: JsonObject, param: string): JsonObject {
  const id = requireText(block["tool_use_id"], `${param}.tool_use_id`, "the id of the tool_use it answers");
  const failed = optionalFlag(block["is_error"], `${param}.is_error`) ?? false;
  const blocks =
    block["content"] === undefined || block["content"] === null
      ? []
      : contentBlocks(block["content"], `${param}.content`);
  const parts = blocks.flatMap((inner, at) => chatParts(inner, `${param}.content[${at}]`));
  if (failed && !saysError(parts)) parts.unshift({ type: "text", text: "Error:" });
  return present({
    role: "tool",
    tool_call_id: id,
    content: foldText(parts, "\n"),
    is_error: failed ? true : undefined,
  });
}

function saysError(parts: readonly ChatPart[]): boolean {
  const [first] = parts;
  return first?.type === "text" && /^\W{0,3}error/i.test(first.text);
}

function assistantMessage(blocks: readonly JsonObject[], param: string): JsonObject {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const proven: JsonObject[] = [];
  const calls: JsonObject[] = [];
  blocks.forEach((block, at) => {
    const where = `${param}[${at}]`;
    switch (block["type"]) {
      case "text":
        texts.push(requireText(block["text"], `${where}.text`));
        break;
      case "thinking": {
        const thinking = requireText(block["thinking"], `${where}.thinking`);
        thoughts.push(thinking);
        const signature = block["signature"];
        if (typeof signature === "string" && signature !== "") {
          proven.push({ type: "thinking", thinking, signature });
        }
        break;
      }
      case "redacted_thinking":
        proven.push({ type: "redacted_thinking", data: requireText(block["data"], `${where}.data`) });
        break;
      case "tool_use":
        calls.push(toolCall(block, where));
        break;
      default:
        throw unknownBlock(block["type"], where);
    }
  });
  return present({
    role: "assistant",
    // Anthropic cuts one text into blocks where citations begin and end.
    content: texts.length === 0 && calls.length > 0 ? null : texts.join(""),
    reasoning_content: thoughts.length === 0 ? undefined : thoughts.join("\n\n"),
    thinking_blocks: proven.length === 0 ? undefined : proven,
    tool_calls: calls.length === 0 ? undefined : calls,
  });
}

const toolCall = (block: JsonObject, param: string): JsonObject => ({
  id: requireText(block["id"], `${param}.id`),
  type: "function",
  function: {
    name: requireText(block["name"], `${param}.name`),
    arguments: JSON.stringify(requireObject(block["input"], `${param}.input`)),
  },
});
