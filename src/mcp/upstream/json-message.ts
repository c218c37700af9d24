import type { JSONRPCMessage } from "@modelcontextprotocol/client";

/** Whether it has the form of a message; the SDK looks at it again, more closely, before it acts on it. */
export function isMessage(value: unknown): value is JSONRPCMessage {
  if (typeof value !== "object" || value === null || !("jsonrpc" in value) || value.jsonrpc !== "2.0")
    return false;
  return "method" in value ? typeof value.method === "string" : "result" in value || "error" in value;
}

/** One message or a batch of them, of a text; throws `SyntaxError` when it is no JSON. */
export function messagesIn(text: string): JSONRPCMessage[] {
  const value: unknown = JSON.parse(text);
  return (Array.isArray(value) ? value : [value]).filter(isMessage);
}
