import { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { familyOfPath } from "./family.ts";
import type { WireError } from "./wire-error.ts";
import { wireErrorBody } from "../dialects/index.ts";

/** Connections that wait for the answer to an earlier request before they are told what is wrong with what followed. */
const told = new WeakSet<Duplex>();

/**
 * Answers what is not HTTP, or too slow or too large to be read as such, in the envelope, and closes the connection. Where an
 * earlier request of the connection is still answered, that answer comes first: in its place, or in the middle of it, the
 * client would take the error for its own.
 */
export function answerParseError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (told.has(socket)) return;
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const current = answerUnderWay(socket);
  if (current === undefined) tellParseError(error, socket);
  else if (current.req.complete) {
    told.add(socket);
    current.once("close", () => {
      told.delete(socket);
      // Node puts the answer to the next request in its place first.
      setImmediate(answerParseError, error, socket);
    });
  } else if (current.headersSent) socket.destroy();
  else tellParseError(error, socket, current.req.url);
}

/** The answer that a connection's bytes belong to now; node:http keeps it there, and its own handler of errors looks too. */
function answerUnderWay(socket: Duplex): ServerResponse | undefined {
  const current: unknown = "_httpMessage" in socket ? socket._httpMessage : undefined;
  return current instanceof ServerResponse ? current : undefined;
}

/** Tells what is wrong in the envelope of a path, as the last that is sent. */
export function tellParseError(error: NodeJS.ErrnoException, socket: Duplex, path = "/"): void {
  const wire = parseError(error);
  const body = JSON.stringify(wireErrorBody(familyOfPath(path), wire));
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
