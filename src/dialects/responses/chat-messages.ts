import type { JsonObject } from "../dialect.ts";
import {
  optionalList,
  optionalText,
  present,
  requireList,
  requireObject,
  requireText,
  shown,
} from "../fields.ts";
import { DialectError } from "../translation.ts";
import { chatContent, chatText } from "./content-parts.ts";
import { thinkingBlock } from "./proof.ts";

/** Instructions and input of a responses request as the messages of a chat. Throws `DialectError`. */
export function chatMessages(body: JsonObject): JsonObject[] {
  const gathering = new Gathering();
  const instructions = optionalText(body["instructions"], "instructions");
  if (instructions !== undefined) gathering.add({ role: "system", content: instructions });
  const input = body["input"];
  if (typeof input === "string") gathering.add({ role: "user", content: input });
  else {
    requireList(input, "input", "a string or a list of items").forEach((item, at) =>
      takeItem(gathering, requireObject(item, `input[${at}]`, "an item"), `input[${at}]`),
    );
  }
  const messages = gathering.end();
  if (messages.length === 0) throw new DialectError("input", "input: expected at least one item.");
  return messages;
}

/** Items of one turn of the assistant (thinking, text, calls) are one message of a chat. */
class Gathering {
  readonly #messages: JsonObject[] = [];
  #text: unknown;
  #thoughts: string[] = [];
  #proven: JsonObject[] = [];
  #calls: JsonObject[] = [];

  add(message: JsonObject): void {
    this.#flush();
    this.#messages.push(message);
  }

  /** A second text in a row, or a text behind calls, begins another message. */
  assistantText(text: string): void {
    if (this.#text !== undefined || this.#calls.length > 0) this.#flush();
    this.#text = text;
  }

  /** A thought belongs to what follows it. */
  thought(text: string, proof: JsonObject | undefined): void {
    if (this.#text !== undefined || this.#calls.length > 0) this.#flush();
    if (text !== "") this.#thoughts.push(text);
    if (proof !== undefined) this.#proven.push(proof);
  }

  call(id: string, name: string, args: string): void {
    this.#calls.push({ id, type: "function", function: { name, arguments: args } });
  }

  end(): JsonObject[] {
    this.#flush();
    return this.#messages;
  }

  #flush(): void {
    const thoughts = this.#thoughts.length + this.#proven.length;
    if (this.#text === undefined && this.#calls.length === 0 && thoughts === 0) return;
    this.#messages.push(
      present({
        role: "assistant",
        content: this.#text ?? (this.#calls.length > 0 ? null : ""),
        reasoning_content: this.#thoughts.length === 0 ? undefined : this.#thoughts.join("\n\n"),
        thinking_blocks: this.#proven.length === 0 ? undefined : this.#proven,
        tool_calls: this.#calls.length === 0 ? undefined : this.#calls,
      }),
    );
    this.#text = undefined;
    this.#thoughts = [];
    this.#proven = [];
    this.#calls = [];
  }
}

function takeItem(into: Gathering, item: JsonObject, param: string): void {
  switch (item["type"]) {
    case undefined:
    case "message":
      takeMessage(into, item, param);
      return;
    case "function_call":
      into.call(
        requireText(item["call_id"], `${param}.call_id`),
        requireText(item["name"], `${param}.name`),
        requireText(item["arguments"], `${param}.arguments`),
      );
      return;
    case "function_call_output":
      into.add({
        role: "tool",
        tool_call_id: requireText(item["call_id"], `${param}.call_id`),
        content: chatContent(item["output"], `${param}.output`),
      });
      return;
    case "reasoning":
      takeReasoning(into, item, param);
      return;
    case "mcp_call":
      takeHostedCall(into, item, param);
      return;
    // What the gateway and the client said to each other about tools is nothing to the model.
    case "mcp_list_tools":
    case "mcp_approval_request":
    case "mcp_approval_response":
      return;
    default:
      throw new DialectError(
        `${param}.type`,
        `${param}.type: expected "message", "function_call", "function_call_output", "reasoning" or "mcp_call", found ${shown(item["type"])}.`,
      );
  }
}

function takeMessage(into: Gathering, item: JsonObject, param: string): void {
  const content = `${param}.content`;
  switch (item["role"]) {
    case "user":
      into.add({ role: "user", content: chatContent(item["content"], content) });
      return;
    // The older word is the one that every chat template knows.
    case "system":
    case "developer":
      into.add({ role: "system", content: chatText(item["content"], content) });
      return;
    case "assistant":
      into.assistantText(chatText(item["content"], content));
      return;
    default:
      throw new DialectError(
        `${param}.role`,
        `${param}.role: expected "user", "assistant", "system" or "developer", found ${shown(item["role"])}.`,
      );
  }
}

function takeReasoning(into: Gathering, item: JsonObject, param: string): void {
  const told = optionalList(item["content"], `${param}.content`) ?? [];
  const text =
    told.length > 0
      ? chatText(told, `${param}.content`)
      : (optionalList(item["summary"], `${param}.summary`) ?? [])
          .map((part, at) =>
            requireText(
              requireObject(part, `${param}.summary[${at}]`)["text"],
              `${param}.summary[${at}].text`,
            ),
          )
          .join("\n\n");
  const encrypted = optionalText(item["encrypted_content"], `${param}.encrypted_content`);
  into.thought(text, thinkingBlock(text, encrypted));
}

/** A call that the gateway ran itself: to the model it is a call and its result like any other. */
function takeHostedCall(into: Gathering, item: JsonObject, param: string): void {
  const id = requireText(item["id"], `${param}.id`);
  into.call(
    id,
    requireText(item["name"], `${param}.name`),
    requireText(item["arguments"], `${param}.arguments`),
  );
  const output = optionalText(item["output"], `${param}.output`);
  const failed = item["error"] !== undefined && item["error"] !== null;
  const content =
    output ??
    (failed
      ? `Error: ${typeof item["error"] === "string" ? item["error"] : JSON.stringify(item["error"])}`
      : "");
  into.add(present({ role: "tool", tool_call_id: id, content, is_error: failed ? true : undefined }));
}
