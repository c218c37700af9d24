import type { Call } from "./call.ts";
import type { ExchangeShared } from "./exchange.ts";
import { Exchange } from "./exchange.ts";
import { refuseUnread } from "./lingering-close.ts";
import { readBody } from "./read-body.ts";
import type { RoutedBody } from "./routed-body.ts";
import { readRoutedBody } from "./routed-body.ts";
import { findTarget } from "./targets.ts";
import { ScanError } from "./top-level-scan.ts";
import type { WireError } from "./wire-error.ts";
import { badRequest, sendError } from "./wire-error.ts";
import { formatBytes, messageOf } from "../core/index.ts";

/** Reads a JSON request, finds its target and hands both to an exchange. */
export function proxyRequest(shared: ExchangeShared, call: Call): void {
  const { req } = call;
  const limit = shared.limits.bodyBytes;
  const refusal = mediaTypeRefusal(req.headers["content-type"], req.headers["content-encoding"]);
  if (refusal !== undefined) {
    refuseUnread(call, refusal, limit);
    return;
  }
  readBody(
    req,
    limit,
    (bytes) => forward(shared, call, bytes),
    () => refuseUnread(call, tooLarge(limit), limit),
  );
}

function forward(shared: ExchangeShared, call: Call, bytes: Buffer): void {
  try {
    const body = readRoutedBody(bytes);
    if (body instanceof Promise) {
      body.then(
        (routed) => route(shared, call, routed),
        (thrown: unknown) => refuseBody(call, bytes, thrown),
      );
    } else route(shared, call, body);
  } catch (thrown) {
    refuseBody(call, bytes, thrown);
  }
}

function route(shared: ExchangeShared, call: Call, body: RoutedBody): void {
  const target = findTarget(shared.backends, body.model);
  if ("status" in target) sendError(call, target);
  else new Exchange(shared, call, body, target).start();
}

function refuseBody(call: Call, bytes: Buffer, thrown: unknown): void {
  if (!(thrown instanceof ScanError)) {
    sendError(call, {
      status: 500,
      type: "server_error",
      code: "internal_error",
      message: messageOf(thrown),
    });
    return;
  }
  if (bytes.length === 0) {
    sendError(call, badRequest("body_empty", "The request has no body; send a JSON object."));
    return;
  }
  const param = thrown.message.startsWith('"model"') ? "model" : undefined;
  const message = `The body is not a JSON object that can be served: ${thrown.message} ${place(bytes, thrown.at)}.`;
  sendError(call, badRequest("invalid_json", message, param));
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

const tooLarge = (limit: number): WireError => ({
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
