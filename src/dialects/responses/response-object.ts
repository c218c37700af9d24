import type { Finish } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { isList, isObject } from "../fields.ts";

/** What every state of a response says of itself; the rest repeats the request. */
export interface ResponseHead {
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
}

/** A response that has just begun: the settings of its request, no output and no usage. */
export function openResponse(head: ResponseHead, request: JsonObject): JsonObject {
  const own = (name: string, otherwise: unknown): unknown => request[name] ?? otherwise;
  return {
    id: head.id,
    object: "response",
    created_at: head.created,
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    access_programs: null,
    instructions: own("instructions", null),
    max_output_tokens: own("max_output_tokens", null),
    max_tool_calls: own("max_tool_calls", null),
    metadata: own("metadata", {}),
    model: head.model,
    output: [],
    parallel_tool_calls: own("parallel_tool_calls", true),
    previous_response_id: own("previous_response_id", null),
    reasoning: own("reasoning", { effort: null, summary: null }),
    store: own("store", true),
    temperature: own("temperature", null),
    text: own("text", { format: { type: "text" } }),
    tool_choice: own("tool_choice", "auto"),
    tools: isList(request["tools"]) ? request["tools"].map(withoutSecrets) : [],
    top_p: own("top_p", null),
    truncation: own("truncation", "disabled"),
    usage: null,
    ...(request["user"] === undefined ? {} : { user: request["user"] }),
  };
}

/** Answers are kept and sent on; what opens an MCP server stays in the request. */
function withoutSecrets(tool: unknown): unknown {
  if (!isObject(tool) || tool["type"] !== "mcp") return tool;
  const { authorization: _authorization, headers: _headers, ...shown } = tool;
  return shown;
}

/** How a response stands once its answer has ended. */
export interface ResponseEnd {
  readonly status: "completed" | "incomplete";
  readonly incomplete_details: { readonly reason: string } | null;
}

/** What the end of an answer makes of a response. */
export function responseEnd(finish: Finish): ResponseEnd {
  switch (finish) {
    case "length":
    case "context":
      return { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
    case "refusal":
      return { status: "incomplete", incomplete_details: { reason: "content_filter" } };
    case "stop":
    case "stop_sequence":
    case "tool":
    case "pause":
      return { status: "completed", incomplete_details: null };
  }
}
