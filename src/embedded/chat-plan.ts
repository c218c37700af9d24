import type { ChatMessage, ChatRequest } from "./chat-request.ts";
import type { LoadedModel } from "./load-model.ts";
import type { NativeGrammar } from "./native.ts";
import type { ToolCallParser } from "./tool-call-parser.ts";
import { UntrustedText } from "./untrusted-text.ts";

/** How one chat request is put to the model and how its answer is read. */
export interface ChatPlan {
  readonly prompt: readonly number[];
  readonly grammar: NativeGrammar | undefined;
  /** Makes the reader of one choice's tool calls; `undefined` where no tools are offered. */
  readonly toolParser: (() => ToolCallParser) | undefined;
}

/** Renders the conversation through the chat template. Throws `ApiError` 400. */
export function planChat(model: LoadedModel, request: ChatRequest): ChatPlan {
  const untrusted = new UntrustedText(model.specials, JSON.stringify(request.messages));
  const rendered = model.template.render({
    messages: request.messages.map((message) => templateMessage(message, untrusted)),
    tools: undefined,
    addGenerationPrompt: true,
    variables: {},
  });
  return { prompt: tokenizePrompt(model, untrusted, rendered), grammar: undefined, toolParser: undefined };
}

function tokenizePrompt(model: LoadedModel, untrusted: UntrustedText, rendered: string): number[] {
  const tokens = untrusted.tokenize(model.model, rendered);
  const begin = model.beginToken;
  if (begin !== undefined && tokens[0] !== begin) tokens.unshift(begin);
  return tokens;
}

function templateMessage(message: ChatMessage, untrusted: UntrustedText): Record<string, unknown> {
  return { role: message.role, content: untrusted.mark(message.content) };
}
