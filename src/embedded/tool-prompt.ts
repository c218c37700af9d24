import type { ChatMessage } from "./chat-request.ts";
import type { ToolDefinition } from "./tool-request.ts";
import type { UntrustedText } from "./untrusted-text.ts";

/** A message as chat templates expect it. */
export type TemplateMessage = Readonly<Record<string, unknown>>;

/** Messages for a template that knows tools: calls as objects, results with role `tool`. */
export function nativeToolMessages(
  messages: readonly ChatMessage[],
  untrusted: UntrustedText,
): TemplateMessage[] {
  return messages.map((message) => ({
    role: message.role,
    content: markContent(message, untrusted),
    ...(message.name === undefined ? {} : { name: untrusted.mark(message.name) }),
    ...(message.toolCallId === undefined ? {} : { tool_call_id: untrusted.mark(message.toolCallId) }),
    ...(message.toolCalls.length === 0
      ? {}
      : {
          tool_calls: message.toolCalls.map((call) => ({
            id: untrusted.mark(call.id),
            type: "function",
            function: {
              name: untrusted.mark(call.name),
              arguments: untrusted.markAll(parsedArguments(call.arguments)),
            },
          })),
        }),
  }));
}

/** Messages for any other template: tools are explained in the system message, calls and results become text. */
export function genericToolMessages(
  messages: readonly ChatMessage[],
  tools: readonly ToolDefinition[],
  untrusted: UntrustedText,
): TemplateMessage[] {
  const plain = messages.map((message): { role: string; content: string } => {
    const content = markContent(message, untrusted);
    if (message.role === "tool")
      return { role: "user", content: `<tool_response>\n${content}\n</tool_response>` };
    const calls = message.toolCalls.map(
      (call) =>
        `<tool_call>\n{"name": ${untrusted.mark(JSON.stringify(call.name))}, "arguments": ${untrusted.mark(call.arguments)}}\n</tool_call>`,
    );
    return { role: message.role, content: [content, ...calls].filter((part) => part !== "").join("\n") };
  });
  if (tools.length === 0) return plain;
  const instruction = instructionFor(tools, untrusted);
  const [first, ...rest] = plain;
  if (first?.role !== "system") return [{ role: "system", content: instruction }, ...plain];
  return [{ role: "system", content: `${first.content}\n\n${instruction}` }, ...rest];
}

function instructionFor(tools: readonly ToolDefinition[], untrusted: UntrustedText): string {
  const described = tools.map((tool) => untrusted.mark(JSON.stringify(tool.given))).join("\n");
  return `# Tools

You may call one or more functions to help with the user's query. These are their signatures:
<tools>
${described}
</tools>

For each function call, write a JSON object with the function's name and its arguments within <tool_call></tool_call>:
<tool_call>
{"name": <function-name>, "arguments": <arguments-object>}
</tool_call>`;
}

/**
 * The text of a message, marked as untrusted. In the assistant's own messages the tags of reasoning stay as they
 * are: chat templates look for them to leave old reasoning out.
 */
export function markContent(message: ChatMessage, untrusted: UntrustedText): string {
  if (message.role !== "assistant") return untrusted.mark(message.content);
  return message.content
    .split(/(<\/?think>)/)
    .map((part, i) => (i % 2 === 1 ? part : untrusted.mark(part)))
    .join("");
}

/** Templates write arguments with `tojson`; text that is no JSON object stays text. */
function parsedArguments(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : text;
  } catch {
    return text;
  }
}
