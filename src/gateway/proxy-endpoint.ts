import { formatBytes, messageOf } from "../core/index.ts";
import type { JsonObject } from "../dialects/index.ts";
import { isObject } from "../dialects/index.ts";
import { guarded, internalError } from "./answering.ts";
import type { Ask, Operation } from "./ask.ts";
import type { Call } from "./call.ts";
import { CallingClient } from "./call.ts";
import type { ExchangeOptions } from "./exchange.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import { withContents } from "./kept-contents.ts";
import { refuseUnread } from "./lingering-close.ts";
import { readRoutedBody } from "./routed-body.ts";
import { findTarget } from "./targets.ts";
import { ScanError } from "./top-level-scan.ts";
import type { WireError } from "./wire-error.ts";
import { badRequest, sendError } from "./wire-error.ts";

/** Reads a JSON request, finds its target and hands both to an exchange. */
export function proxyRequest(shared: ExchangeShared, call: Call, operation: Operation): void {
  readJsonBody(shared, call, (bytes) => serveBytes(shared, call, operation, bytes));
}

/** Reads a body that is to be JSON; what is no JSON by its own words, or too large, is refused. */
export function readJsonBody(shared: ExchangeShared, call: Call, then: (bytes: Buffer) => void): void {
  const { req } = call;
  const limit = shared.limits.bodyBytes;
  const refusal = mediaTypeRefusal(req.headers["content-type"], req.headers["content-encoding"]);
  if (refusal !== undefined) refuseUnread(call, refusal, limit);
  else {
    call.body.read(
      limit,
      (bytes) => guarded(call, () => then(bytes)),
      () => refuseUnread(call, tooLarge(limit), limit),
    );
  }
}

/** Serves a request whose body is there. */
export function serveBytes(
  shared: ExchangeShared,
  call: Call,
  operation: Operation,
  bytes: Buffer,
  options?: ExchangeOptions,
): void {
  readAsk(call, operation, bytes, (ask) => serveAsk(shared, call, ask, options));
}

/** Reads of a body what routing needs; one that cannot be routed is refused, and so is what `then` throws. */
export function readAsk(call: Call, operation: Operation, bytes: Buffer, then: (ask: Ask) => void): void {
  const frame = { id: call.id, operation, path: call.path, headers: call.req.headers };
  const refuse = (thrown: unknown): void => sendError(call, bodyError(bytes, thrown));
  try {
    const body = readRoutedBody(frame, bytes);
    if (body instanceof Promise) body.then(then).catch(refuse);
    else then(body);
  } catch (thrown) {
    refuse(thrown);
  }
}

/** Serves a request that has been read. */
export function serveAsk(shared: ExchangeShared, call: Call, ask: Ask, options?: ExchangeOptions): void {
  const { caller } = call;
  if (caller === undefined) throw new Error("a request without a caller came past the door");
  const target = findTarget(shared.backends, ask.model, caller);
  if ("status" in target) {
    sendError(call, target);
    return;
  }
  call.note.exchanged = true;
  const { id, res } = call;
  const outlet = withContents({ id, caller, outlet: res }, ask.bytes, shared.contents);
  new Exchange(shared, new CallingClient(call, caller, outlet), ask, target, options).start();
}

/** Why a body cannot be served, with its place. */
export function bodyError(bytes: Buffer, thrown: unknown): WireError {
  if (!(thrown instanceof ScanError)) return internalError(thrown);
  if (bytes.length === 0) return badRequest("body_empty", "The request has no body; send a JSON object.");
  const param = thrown.message.startsWith('"model"') ? "model" : undefined;
  const message = `The body is not a JSON object that can be served: ${thrown.message} ${place(bytes, thrown.at)}.`;
  return badRequest("invalid_json", message, param);
}

/** A body as an object, for endpoints that look into all of it. */
export function parseBody(bytes: Buffer): { readonly body: JsonObject } | { readonly error: WireError } {
  let read: unknown;
  try {
    read = JSON.parse(bytes.toString("utf8"));
  } catch (thrown) {
    const code = bytes.length === 0 ? "body_empty" : "invalid_json";
    return { error: badRequest(code, `The body is no JSON: ${messageOf(thrown)}.`) };
  }
  return isObject(read)
    ? { body: read }
    : { error: badRequest("invalid_json", "The body is no JSON object.") };
}

/** Where a byte lies, for a person; lines and columns count from 1. */
function place(bytes: Buffer, at: number): string {
  let line = 1;
  let lineStart = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0 && end < at; end = bytes.indexOf(0x0a, end + 1)) {
    line++;
    lineStart = end + 1;
  }
  return `at byte ${at} (line ${line}, column ${at - lineStart + 1})`;
}

/** Lenient: clients that send JSON as text/plain or without a type are served; a form or a compressed body is not. */
function mediaTypeRefusal(type: string | undefined, encoding: string | undefined): WireError | undefined {
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    return unsupported(`The body is encoded as ${encoding.slice(0, 40)}; send it plain.`);
  }
  if (type !== undefined && /^(?:multipart\/|application\/x-www-form-urlencoded)/i.test(type)) {
    return unsupported(`The body is ${type.slice(0, 80)}; send JSON with content-type: application/json.`);
  }
  return undefined;
}

export const tooLarge = (limit: number): WireError => ({
  status: 413,
  type: "invalid_request_error",
  code: "body_too_large",
  message: `The request body is larger than ${formatBytes(limit)}.`,
});

const unsupported = (message: string): WireError => ({
  status: 415,
  type: "invalid_request_error",
  code: "unsupported_media_type",
  message,
});
