import type { IncomingMessage, ServerResponse } from "node:http";
import { fieldsOf } from "../read-fields.ts";
import type { Fields } from "../read-fields.ts";

/** One request as the endpoints of an engine see it. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal;
}

/** Answers by `METHOD /path`; a path may end in `*`. */
export type Routes = Readonly<Record<string, (call: Call) => Promise<void> | void>>;

const MOST_BODY = 64 * 1024 * 1024;

/** The body as text. Rejects when it is longer than 64 MiB or the client has left. */
export async function bodyOf({ request }: Call): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MOST_BODY) throw new Error("The body is too large.");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The body as an object of JSON, or why it is none. An empty body is an empty object. */
export async function fieldsOfBody(call: Call): Promise<Fields | string> {
  const text = await bodyOf(call);
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return fieldsOf(value) ?? "the body is no object";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function sendJson(
  { response }: Call,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

export function sendText(
  { response }: Call,
  status: number,
  text: string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** Begins a stream of events. */
export function beginEvents({ response }: Call): void {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  response.flushHeaders();
}

/** Writes an event, and waits where the client does not keep up. */
export async function sendEvent({ response }: Call, data: string): Promise<void> {
  if (response.destroyed || response.write(`data: ${data}\n\n`)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

/** A stream that ends in the middle because it was told to. */
export class StreamCut extends Error {
  override readonly name = "StreamCut";
}

/** Breaks the connection once all is sent that was written: Node gathers the chunks of one turn of its loop. */
export function cutOff({ response }: Call): void {
  setImmediate(() => response.socket?.destroySoon());
}

/** The handler of a path, or none. */
export function routeOf(
  routes: Routes,
  method: string,
  path: string,
): ((call: Call) => Promise<void> | void) | undefined {
  const exact = routes[`${method} ${path}`];
  if (exact !== undefined) return exact;
  const wild = Object.keys(routes).find(
    (key) => key.endsWith("*") && `${method} ${path}`.startsWith(key.slice(0, -1)),
  );
  return wild === undefined ? undefined : routes[wild];
}
