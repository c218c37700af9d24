import type { Dialect, JsonObject } from "./dialect.ts";
import { sseEvent } from "./sse-event.ts";
import type { WireError } from "./wire-error.ts";

/** Whose words an error is told in; the responses dialect has OpenAI's bodies and stream events of its own. */
export type ErrorFamily = "openai" | "anthropic" | "responses";

/** The family in which a dialect tells errors. */
export function errorFamily(dialect: Dialect): ErrorFamily {
  if (dialect === "messages") return "anthropic";
  return dialect === "responses" ? "responses" : "openai";
}

/**
 * The body of an error: OpenAI's `{error: {message, type, param, code}}`, or Anthropic's
 * `{type: "error", error: {type, message}, request_id}`, with the error's further details in the error object of both.
 */
export function wireErrorBody(family: ErrorFamily, error: WireError, requestId?: string): JsonObject {
  if (family === "anthropic") {
    return {
      type: "error",
      error: { type: anthropicType(error), message: error.message, ...error.detail },
      request_id: requestId ?? null,
    };
  }
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.param ?? null,
      code: error.code,
      ...error.detail,
    },
  };
}

/** The event by which a stream that cannot go on ends; nothing comes after it, and never `[DONE]`. */
export function wireErrorEvent(family: ErrorFamily, error: WireError, requestId?: string): string {
  if (family === "responses") return responsesErrorEvent(error, 0);
  const body = JSON.stringify(wireErrorBody(family, error, requestId));
  return family === "anthropic" ? sseEvent(body, "error") : sseEvent(body);
}

/** The responses dialect's `error` event: its members stand at the top, beside the number of the event. */
export const responsesErrorEvent = (error: WireError, sequence: number): string =>
  sseEvent(
    JSON.stringify({
      type: "error",
      code: error.code,
      message: error.message,
      param: error.param ?? null,
      ...error.detail,
      sequence_number: sequence,
    }),
    "error",
  );

function anthropicType(error: WireError): string {
  if (error.status === 402) return "billing_error";
  // OpenAI calls a model that is not there an invalid request.
  if (error.status === 404) return "not_found_error";
  if (error.status === 413) return "request_too_large";
  return error.type === "server_error" ? "api_error" : error.type;
}
