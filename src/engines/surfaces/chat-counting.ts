import { asObject, parseJson } from "../json-object.ts";
import type { JsonObject } from "../json-object.ts";
import { TOKENIZE_PROMPT } from "./tokenizing.ts";

/** How an engine is asked for the prompt of a chat, with the model's own template. */
export type ChatCounting =
  /** It renders the prompt, which is then counted as a text. */
  | {
      readonly by: "prompt";
      readonly path: string;
      body(chat: JsonObject): string;
      /** The prompt in its answer. */
      prompt(body: string): string | undefined;
    }
  /** It counts the chat itself. */
  | {
      readonly by: "chat";
      readonly path: string;
      body(chat: JsonObject, model: string): string;
      count(body: string): number | undefined;
    };

/** llama-server (tools/server/README.md, POST /apply-template): messages and tools to `{prompt}`. */
const APPLY_TEMPLATE: ChatCounting = {
  by: "prompt",
  path: "/apply-template",
  body: (chat) => JSON.stringify(chat),
  prompt: (body) => {
    const prompt = asObject(parseJson(body))?.["prompt"];
    return typeof prompt === "string" ? prompt : undefined;
  },
};

/** vLLM (entrypoints/serve/tokenize, TokenizeChatRequest): the chat's messages and tools in the place of a prompt. */
const TOKENIZE_CHAT: ChatCounting = {
  by: "chat",
  path: TOKENIZE_PROMPT.path,
  body: ({ messages, tools, chat_template_kwargs: template }, model) =>
    JSON.stringify({
      model,
      messages,
      ...(tools === undefined ? {} : { tools }),
      ...(template === undefined ? {} : { chat_template_kwargs: template }),
      add_generation_prompt: true,
    }),
  count: (body) => TOKENIZE_PROMPT.count(body),
};

const COUNTING = new Map<string, ChatCounting>([
  ["llama.cpp", APPLY_TEMPLATE],
  ["vllm", TOKENIZE_CHAT],
]);

/** How an engine of a kind counts a chat exactly; `undefined` where it cannot. */
export const chatCountingOf = (kind: string): ChatCounting | undefined => COUNTING.get(kind);
