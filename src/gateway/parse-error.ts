import type { Duplex } from "node:stream";

import type { WireError } from "./wire-error.ts";
import { wireErrorBody } from "../dialects/index.ts";

/** Answers what is not HTTP, or too slow or too large to be read as such, in the envelope, and closes the connection. */
export function answerParseError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const wire = parseError(error);
  const body = JSON.stringify(wireErrorBody("openai", wire));
  const reason = REASONS[wire.status] ?? "Bad Request";
  socket.end(
    `HTTP/1.1 ${wire.status} ${reason}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
};

function parseError(error: NodeJS.ErrnoException): WireError {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return wire(431, "headers_too_large", "The request headers are too large.");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return wire(413, "body_too_large", "The chunk extensions of the body are too large.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return wire(408, "request_timeout", "The request did not arrive in time.");
    default:
      return wire(400, "invalid_http", `The request is not valid HTTP: ${error.message}`);
  }
}

const wire = (status: number, code: string, message: string): WireError => ({
  status,
  type: "invalid_request_error",
  code,
  message,
});
