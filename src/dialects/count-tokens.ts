import type { JsonObject } from "./dialect.ts";
import { present } from "./fields.ts";
import { messagesToChat } from "./messages/messages-to-chat.ts";

/** The chat whose prompt a `/v1/messages/count_tokens` request asks to count: system prompt, messages and tools. Throws `DialectError`. */
export function countTokensRequest(body: JsonObject): JsonObject {
  const chat = messagesToChat(body);
  return present({
    model: chat["model"],
    messages: chat["messages"],
    tools: chat["tools"],
    tool_choice: chat["tool_choice"],
    chat_template_kwargs: chat["chat_template_kwargs"],
  });
}
