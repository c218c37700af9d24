import type { IncomingHttpHeaders } from "node:http";

import type { Caller } from "../../keys/index.ts";

/** Where the answer to a request goes: a client's connection (`ServerResponse` fits). */
export interface McpOutlet {
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  /** Bytes that wait for a client that reads slowly. */
  readonly writableLength: number;
  /** `headers` are flat name and value pairs. */
  writeHead(status: number, headers: string[]): unknown;
  /** False when the reader is behind; `drain` tells when it caught up. */
  write(bytes: Buffer | string): boolean;
  end(bytes?: Buffer | string): unknown;
  /** Breaks it off, so that what was sent is not taken for the whole. */
  destroy(): unknown;
  once(event: "close" | "drain", listener: () => void): unknown;
  off(event: "close" | "drain", listener: () => void): unknown;
}

/** One HTTP request to MCP, after the door: host, origin and key were checked, the body was read within its bound. */
export interface McpRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly caller: Caller;
  /** Id of the request, for audit and logs. */
  readonly id: string;
  /** Flat name and value pairs that every answer carries. */
  readonly answerHeaders: readonly string[];
  readonly body: Buffer | undefined;
  readonly out: McpOutlet;
}

/** A header's one value; the first where it came more than once. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
