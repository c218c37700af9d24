import type { Fields } from "../../read-fields.ts";
import { fieldsOf, flagIn, listIn, numberIn, textIn } from "../../read-fields.ts";

/** A request for text, of either endpoint. */
export interface CompletionRequest {
  readonly chat: boolean;
  readonly model: string | undefined;
  readonly prompt: string;
  /** Text of an answer that was begun and is to go on, behind the prompt. */
  readonly begun: string;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** Reads a body; a text is what is wrong with it. */
export function readCompletionRequest(fields: Fields, chat: boolean): CompletionRequest | string {
  const asked = chat ? messagesIn(fields) : promptIn(fields["prompt"]);
  if (asked === undefined) return chat ? "'messages' is required" : "'prompt' is required";
  const { prompt, begun } = chat ? begunMessage(fields, asked) : begunPrompt(asked);
  const stop = fields["stop"];
  return {
    chat,
    model: textIn(fields, "model"),
    prompt,
    begun,
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

interface Begun {
  readonly prompt: string;
  readonly begun: string;
}

/** The last message is the assistant's and left open (`continue_final_message`): it is no part of the question. */
function begunMessage(fields: Fields, asked: string): Begun {
  const messages = listIn(fields, "messages");
  const last = fieldsOf(messages.at(-1));
  const goesOn = flagIn(fields, "continue_final_message") && textIn(last, "role") === "assistant";
  const prompt = goesOn ? messagesIn({ messages: messages.slice(0, -1) }) : undefined;
  return prompt === undefined
    ? { prompt: asked, begun: "" }
    : { prompt, begun: contentOf(last?.["content"]) };
}

/** A completion goes on with whatever the prompt ends with: words that these engines say themselves. */
function begunPrompt(asked: string): Begun {
  const begun = /p[0-9a-f]{8}(?: w\d+)*$/.exec(asked)?.[0] ?? "";
  return { prompt: asked.slice(0, asked.length - begun.length), begun };
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
