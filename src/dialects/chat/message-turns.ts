import type { JsonObject } from "../dialect.ts";
import {
  isList,
  isObject,
  optionalText,
  present,
  requireList,
  requireObject,
  requireText,
  shown,
} from "../fields.ts";
import { imageSource } from "../images.ts";
import { parseArguments } from "../tool-arguments.ts";
import { DialectError } from "../translation.ts";

interface Turn {
  readonly role: "user" | "assistant";
  readonly content: JsonObject[];
}

/** The conversation of a chat as Anthropic's dialect has it. */
export interface Conversation {
  readonly system: readonly JsonObject[];
  readonly messages: readonly Turn[];
}

/** Messages of a chat as system blocks and turns: neighbours of one role are one turn, as Anthropic would join them itself. */
export function messageTurns(messages: unknown): Conversation {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  requireList(messages, "messages").forEach((message, at) => {
    const param = `messages[${at}]`;
    const known = requireObject(message, param, "a message");
    const content = `${param}.content`;
    switch (known["role"]) {
      case "system":
      case "developer":
        for (const block of blocksOf(known["content"], content)) system.push(block);
        break;
      case "user":
        add(turns, "user", blocksOf(known["content"], content));
        break;
      case "assistant":
        add(turns, "assistant", assistantBlocks(known, param));
        break;
      case "tool":
        add(turns, "user", [toolResult(known, param)]);
        break;
      default:
        throw new DialectError(
          `${param}.role`,
          `${param}.role: expected "system", "developer", "user", "assistant" or "tool", found ${shown(known["role"])}.`,
        );
    }
  });
  if (turns.length === 0) throw new DialectError("messages", "messages: expected at least one message.");
  return { system, messages: turns };
}

function add(turns: Turn[], role: Turn["role"], blocks: readonly JsonObject[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  const turn = last?.role === role ? last : { role, content: [] };
  if (turn !== last) turns.push(turn);
  for (const block of blocks) turn.content.push(block);
}

/** Empty texts are left out: Anthropic refuses them. */
function blocksOf(content: unknown, param: string): JsonObject[] {
  if (content === null || content === undefined || content === "") return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  return requireList(content, param, "a string or a list of parts")
    .map((part, at) => blockOf(requireObject(part, `${param}[${at}]`, "a part"), `${param}[${at}]`))
    .filter((block) => block["type"] !== "text" || block["text"] !== "");
}

function blockOf(part: JsonObject, param: string): JsonObject {
  switch (part["type"]) {
    case "text":
      return { type: "text", text: requireText(part["text"], `${param}.text`) };
    case "refusal":
      return { type: "text", text: requireText(part["refusal"], `${param}.refusal`) };
    case "image_url": {
      const image = part["image_url"];
      const url = isObject(image) ? image["url"] : image;
      const at = `${param}.image_url.url`;
      return { type: "image", source: imageSource(requireText(url, at), at) };
    }
    case "file":
      return documentBlock(requireObject(part["file"], `${param}.file`), `${param}.file`);
    default:
      throw new DialectError(
        `${param}.type`,
        `${param}.type: this engine takes "text", "image_url" and "file", found ${shown(part["type"])}.`,
      );
  }
}

function documentBlock(file: JsonObject, param: string): JsonObject {
  const data = optionalText(file["file_data"], `${param}.file_data`);
  const head = data === undefined ? null : /^data:application\/pdf;base64,/i.exec(data);
  if (data === undefined || head === null) {
    throw new DialectError(
      `${param}.file_data`,
      `${param}.file_data: expected a PDF as a base64 data URL; files that were uploaded to a provider are not here.`,
    );
  }
  return present({
    type: "document",
    source: { type: "base64", media_type: "application/pdf", data: data.slice(head[0].length) },
    title: optionalText(file["filename"], `${param}.filename`),
  });
}

function assistantBlocks(message: JsonObject, param: string): JsonObject[] {
  if (message["function_call"] !== undefined && message["function_call"] !== null) {
    throw new DialectError(
      `${param}.function_call`,
      `${param}.function_call: this engine knows tool_calls only.`,
    );
  }
  const blocks = [
    ...provenThoughts(message["thinking_blocks"]),
    ...blocksOf(message["content"], `${param}.content`),
  ];
  const calls = message["tool_calls"];
  if (calls === undefined || calls === null) return blocks;
  const at = `${param}.tool_calls`;
  requireList(calls, at).forEach((call, index) => {
    const where = `${at}[${index}]`;
    const known = requireObject(call, where);
    const called = requireObject(known["function"], `${where}.function`);
    blocks.push({
      type: "tool_use",
      id: requireText(known["id"], `${where}.id`),
      name: requireText(called["name"], `${where}.function.name`),
      input: parseArguments(requireText(called["arguments"], `${where}.function.arguments`)),
    });
  });
  return blocks;
}

/** Thinking goes back only with Anthropic's own signature: without one it is refused (`reasoning_content` has none). */
function provenThoughts(blocks: unknown): JsonObject[] {
  if (!isList(blocks)) return [];
  return blocks.filter(isObject).flatMap((block): JsonObject[] => {
    const { type, thinking, signature, data } = block;
    if (type === "redacted_thinking" && typeof data === "string") return [{ type, data }];
    const proven = typeof thinking === "string" && typeof signature === "string" && signature !== "";
    return type === "thinking" && proven ? [{ type, thinking, signature }] : [];
  });
}

function toolResult(message: JsonObject, param: string): JsonObject {
  const content = blocksOf(message["content"], `${param}.content`);
  const [only] = content;
  const text = content.length === 1 && only?.["type"] === "text" ? only["text"] : undefined;
  return present({
    type: "tool_result",
    tool_use_id: requireText(
      message["tool_call_id"],
      `${param}.tool_call_id`,
      "the id of the call it answers",
    ),
    content: content.length === 0 ? undefined : (text ?? content),
    is_error: message["is_error"] === true ? true : undefined,
  });
}
