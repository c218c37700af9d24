import type { IncomingMessage, ServerResponse } from "node:http";

import type { ErrorFamily } from "../dialects/index.ts";
import type { Caller } from "../keys/index.ts";
import type { Waiter } from "./admission/admission.ts";
import type { Client } from "./client.ts";
import type { AnswerOutlet, RequestBody, RequestHead } from "./http/request-head.ts";
import type { Outlet } from "./outlet.ts";

/** One request that passed the door, with what every answer to it needs. */
export interface Call {
  readonly req: RequestHead;
  readonly body: RequestBody;
  readonly res: AnswerOutlet;
  readonly id: string;
  /** The path without query, trailing slashes and percent signs as sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Who asks; `undefined` on open paths when no valid key was shown. */
  readonly caller: Caller | undefined;
  /** Flat name and value pairs that every answer of this call carries. */
  readonly headers: readonly string[];
  /** In whose words errors are told. */
  readonly family: ErrorFamily;
  /** For the record of calls that are answered here and now. */
  readonly note: {
    /** Who asked, where that was found out behind the door. */
    key?: string;
    /** Code of the error that was told. */
    error?: string;
    /** An exchange has taken over, and its record too. */
    exchanged?: true;
    /** What anyone may see; no record is written of it. */
    quiet?: true;
  };
}

/** A call that came through node:http, for what reads its body or writes its answer as a stream. */
export interface StreamedCall extends Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** The caller's connection as an exchange needs it. */
export class CallingClient implements Client {
  readonly id: string;
  readonly caller: Caller;
  readonly headers: Client["headers"];
  readonly answerHeaders: readonly string[];
  readonly family: ErrorFamily;
  readonly outlet: Outlet;
  readonly #req: RequestHead;

  constructor(call: Call, caller: Caller, outlet: Outlet = call.res) {
    this.id = call.id;
    this.caller = caller;
    this.headers = call.req.headers;
    this.answerHeaders = call.headers;
    this.family = call.family;
    this.outlet = outlet;
    this.#req = call.req;
  }

  get who(): Waiter {
    return this.caller;
  }

  get method(): string {
    return this.#req.method ?? "POST";
  }

  bytesSent(): number {
    return this.#req.socket.bytesWritten;
  }
}

/** Answers with JSON, the call's own headers and `extra` (flat name and value pairs). */
export function sendJson(call: Call, status: number, value: unknown, extra: readonly string[] = []): void {
  sendText(call, status, "application/json", JSON.stringify(value), extra);
}

/** Answers with text of the given media type; the body is left out for HEAD. */
export function sendText(
  call: Call,
  status: number,
  type: string,
  text: string,
  extra: readonly string[] = [],
): void {
  const body = Buffer.from(text);
  call.res.writeHead(status, [
    "content-type",
    type,
    "content-length",
    String(body.length),
    ...call.headers,
    ...extra,
  ]);
  call.res.end(call.req.method === "HEAD" ? undefined : body);
}
