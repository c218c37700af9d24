import type { Answer } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { present } from "../fields.ts";
import { finishReason } from "../finish.ts";
import { answerId } from "../identity.ts";
import type { AnswerIdentity } from "../translation.ts";
import { chatUsage } from "../usage-members.ts";

/** An answer as a whole chat completion. */
export function writeChatAnswer(answer: Answer, identity?: AnswerIdentity): JsonObject {
  const { parts } = answer;
  const text = parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
  const refusal = parts.flatMap((part) => (part.type === "refusal" ? [part.text] : [])).join("");
  const thoughts = parts.flatMap((part) => (part.type === "reasoning" ? [part.text] : []));
  const calls = parts.flatMap((part) =>
    part.type === "call"
      ? [{ id: part.id, type: "function", function: { name: part.name, arguments: part.arguments } }]
      : [],
  );
  const proven = provenThoughts(answer);
  const message = present({
    role: "assistant",
    content: text === "" && (calls.length > 0 || refusal !== "") ? null : text,
    refusal: refusal === "" ? null : refusal,
    reasoning_content: thoughts.length === 0 ? undefined : thoughts.join("\n\n"),
    thinking_blocks: proven.length === 0 ? undefined : proven,
    tool_calls: calls.length === 0 ? undefined : calls,
  });
  return {
    id: answerId("chatcmpl-", answer.id, identity),
    object: "chat.completion",
    created: identity?.created ?? answer.created,
    model: answer.model,
    choices: [
      present({
        index: 0,
        message,
        logprobs: null,
        finish_reason: finishReason(answer.finish),
        // As vLLM says it: no dialect of OpenAI's has a word for it.
        stop_reason: answer.stopSequence,
      }),
    ],
    usage: chatUsage(answer.usage),
  };
}

function provenThoughts(answer: Answer): JsonObject[] {
  return answer.parts.flatMap((part): JsonObject[] => {
    if (part.type === "redacted") return [{ type: "redacted_thinking", data: part.data }];
    const signed = part.type === "reasoning" && part.signature !== undefined && part.signature !== "";
    return signed ? [{ type: "thinking", thinking: part.text, signature: part.signature }] : [];
  });
}
