import type { Fields } from "../../read-fields.ts";
import { fieldsOf, flagIn, listIn, numberIn, textIn } from "../../read-fields.ts";

/** A request for text, of either endpoint. */
export interface CompletionRequest {
  readonly chat: boolean;
  readonly model: string | undefined;
  readonly prompt: string;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** Reads a body; a text is what is wrong with it. */
export function readCompletionRequest(fields: Fields, chat: boolean): CompletionRequest | string {
  const prompt = chat ? messagesIn(fields) : promptIn(fields["prompt"]);
  if (prompt === undefined) return chat ? "'messages' is required" : "'prompt' is required";
  const stop = fields["stop"];
  return {
    chat,
    model: textIn(fields, "model"),
    prompt,
    maxTokens:
      numberIn(fields, "max_completion_tokens") ??
      numberIn(fields, "max_tokens") ??
      numberIn(fields, "n_predict"),
    stop:
      typeof stop === "string" ? [stop] : listIn(fields, "stop").filter((word) => typeof word === "string"),
    stream: flagIn(fields, "stream"),
    includeUsage: flagIn(fieldsOf(fields["stream_options"]), "include_usage"),
  };
}

function promptIn(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.join(" ") : undefined;
}

/** Roles and texts of the messages, line by line. */
function messagesIn(fields: Fields): string | undefined {
  const messages = listIn(fields, "messages");
  if (messages.length === 0) return undefined;
  return messages
    .map((message) => {
      const fields = fieldsOf(message);
      return `${textIn(fields, "role") ?? ""}: ${contentOf(fields?.["content"])}`;
    })
    .join("\n");
}

function contentOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => textIn(fieldsOf(part), "text") ?? "").join("");
}
