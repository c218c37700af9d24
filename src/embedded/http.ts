import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "../core/index.ts";
import { ApiError, errorBody } from "./api-error.ts";

/** A prompt may be long, but nothing a client sends may fill the memory. */
const MOST_BODY_BYTES = 32 * 2 ** 20;

/** Reads a JSON object from a request. Throws `ApiError` 400 or 413. */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) {
      throw new ApiError(413, `The request body is larger than ${MOST_BODY_BYTES} bytes.`, {
        code: "request_too_large",
        headers: { connection: "close" },
      });
    }
    chunks.push(chunk);
  }
  return parseObject(Buffer.concat(chunks).toString("utf8"));
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, `The request body is not valid JSON: ${messageOf(error)}`, {
      code: "invalid_json",
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new ApiError(400, "The request body must be a JSON object.", { code: "invalid_json" });
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, JSON.stringify(body), {});
}

/** Tells an error in the OpenAI envelope; once a stream has begun, as its last event. */
export function sendError(response: ServerResponse, thrown: unknown): void {
  const error =
    thrown instanceof ApiError
      ? thrown
      : new ApiError(500, `The engine failed: ${messageOf(thrown)}`, { code: "engine_error" });
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.end(`data: ${errorBody(error)}\n\n`);
    return;
  }
  sendText(response, error.status, errorBody(error), error.headers);
}

function sendText(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}
