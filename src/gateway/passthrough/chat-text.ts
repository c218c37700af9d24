import type { JsonObject } from "../../dialects/dialect.ts";
import { asList, asObject } from "../../engines/json-object.ts";
import { objectsOf } from "../responses/objects-of.ts";

/** What a template puts around a message: its role and marks, about (ChatML has five, Llama 3 four). */
const AROUND_MESSAGE = 5;
/** An image without its size: what 900 × 900 pixels are at Anthropic, and four tiles at most models. */
const IMAGE = 1_000;
/** Bytes of one token of prose, code and JSON together, rather fewer than more. */
const BYTES_A_TOKEN = 3.5;

/** What can be counted of a chat without its template. */
export interface ChatText {
  readonly text: string;
  /** Tokens beside the text: what stands around messages, images. */
  readonly besides: number;
  readonly images: number;
}

/** The texts of a chat in the words of OpenAI: messages, thinking, calls and their results, tools. */
export function chatText(chat: JsonObject): ChatText {
  const messages = objectsOf(chat["messages"]);
  const texts: string[] = [];
  let images = 0;
  for (const message of messages) {
    for (const name of ["content", "reasoning_content"]) {
      const value = message[name];
      if (typeof value === "string") texts.push(value);
      for (const part of asList(value) ?? []) {
        const known = asObject(part);
        if (typeof known?.["text"] === "string") texts.push(known["text"]);
        else if (known?.["type"] === "image_url") images++;
      }
    }
    if (message["tool_calls"] !== undefined) texts.push(JSON.stringify(message["tool_calls"]));
  }
  if (chat["tools"] !== undefined) texts.push(JSON.stringify(chat["tools"]));
  return {
    text: texts.join("\n"),
    besides: (messages.length + 1) * AROUND_MESSAGE + images * IMAGE,
    images,
  };
}

/** Tokens of a text where no tokenizer can be asked. */
export const estimatedTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / BYTES_A_TOKEN);
