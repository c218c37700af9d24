import { wireErrorBody, wireErrorEvent } from "../dialects/index.ts";
import type { ErrorFamily, WireError } from "../dialects/index.ts";
import type { Call } from "./call.ts";
import { sendJson } from "./call.ts";
import type { Client } from "./client.ts";

export type { WireError };

/** Answers a call with an error in its client's words, `Retry-After` included where known. */
export function sendError(call: Call, error: WireError, extra: readonly string[] = []): void {
  call.note.error = error.code;
  sendJson(call, error.status, wireErrorBody(call.family, error, call.id), [...retryAfter(error), ...extra]);
}

/** The same for who may be no connection. `extra` holds flat name and value pairs. */
export function sendErrorTo(client: Client, error: WireError, extra: readonly string[]): void {
  const body = Buffer.from(JSON.stringify(wireErrorBody(client.family, error, client.id)));
  client.outlet.writeHead(error.status, [
    "content-type",
    "application/json",
    "content-length",
    String(body.length),
    ...client.answerHeaders,
    ...retryAfter(error),
    ...extra,
  ]);
  client.outlet.end(body);
}

const retryAfter = (error: WireError): string[] =>
  error.retryAfter === undefined ? [] : ["retry-after", String(error.retryAfter)];

export const badRequest = (code: string, message: string, param?: string): WireError => ({
  status: 400,
  type: "invalid_request_error",
  code,
  message,
  ...(param === undefined ? {} : { param }),
});

/** The last event of a stream that cannot go on; it is never followed by the sign of a good end. */
export const streamError = (family: ErrorFamily, error: WireError, id: string): string =>
  wireErrorEvent(family, error, id);
