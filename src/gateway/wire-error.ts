import type { Call } from "./call.ts";
import { sendJson } from "./call.ts";

/** An error as the OpenAI dialect says it, with its HTTP status. */
export interface WireError {
  readonly status: number;
  readonly type: "invalid_request_error" | "authentication_error" | "permission_error" | "server_error";
  readonly code: string;
  readonly message: string;
  readonly param?: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfter?: number;
  /** Further members of the error object, such as `loading`. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The envelope `{error: {message, type, param, code}}`, as every OpenAI client reads it. */
export const envelope = (error: WireError): { error: Record<string, unknown> } => ({
  error: {
    message: error.message,
    type: error.type,
    param: error.param ?? null,
    code: error.code,
    ...error.detail,
  },
});

/** Answers a call with an error in the envelope, `Retry-After` included where known. */
export function sendError(call: Call, error: WireError, extra: readonly string[] = []): void {
  const retry = error.retryAfter === undefined ? [] : ["retry-after", String(error.retryAfter)];
  sendJson(call, error.status, envelope(error), [...retry, ...extra]);
}

export const badRequest = (code: string, message: string, param?: string): WireError => ({
  status: 400,
  type: "invalid_request_error",
  code,
  message,
  ...(param === undefined ? {} : { param }),
});

/** The last event of a stream that cannot go on; it is never followed by `[DONE]`. */
export const errorEvent = (error: WireError): Buffer =>
  Buffer.from(`data: ${JSON.stringify(envelope(error))}\n\n`);
