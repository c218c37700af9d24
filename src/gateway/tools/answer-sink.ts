import type { JsonObject } from "../../dialects/dialect.ts";
import type { Call } from "../call.ts";
import type { AnswerOutlet } from "../http/request-head.ts";
import type { InsideAnswer } from "../inside-call.ts";
import type { WireError } from "../wire-error.ts";
import { sendError, streamError } from "../wire-error.ts";

/** Bytes that wait for a client that reads slower than the model writes; beyond, it is let go. */
const MOST_WAITING = 8 * 1024 * 1024;

/** What of an answer from inside a client may see of the head. */
const PASSED = /^(?:x-omni-[a-z-]+|retry-after)$/;

/** Where the answer to a request with hosted tools goes: events of a stream, or one object. The head goes with the first of them. */
export class AnswerSink {
  readonly #call: Call;
  readonly #res: AnswerOutlet;
  readonly stream: boolean;

  constructor(call: Call, stream: boolean) {
    this.#call = call;
    this.#res = call.res;
    this.stream = stream;
  }

  /** The client has the head of a stream. */
  get started(): boolean {
    return this.#res.headersSent;
  }

  /** `data` is one line, as JSON is. */
  event(data: JsonObject | "[DONE]", name?: string): void {
    const text = data === "[DONE]" ? data : JSON.stringify(data);
    this.#write(`${name === undefined ? "" : `event: ${name}\n`}data: ${text}\n\n`);
  }

  comment(text: string): void {
    this.#write(`: ${text.replaceAll(/[\r\n]+/g, " ")}\n\n`);
  }

  end(): void {
    if (!this.#res.destroyed) this.#res.end();
  }

  /** The whole answer at once. */
  whole(body: JsonObject, headers: Readonly<Record<string, string>> = {}): void {
    this.#send(200, Buffer.from(JSON.stringify(body)), "application/json", headers);
  }

  /** The answer that the gateway gave instead of one of the model; only before the head. */
  passOn({ status, headers, body }: InsideAnswer): void {
    this.#send(status, body, headers["content-type"] ?? "application/json", headers);
  }

  /** An error in the client's words: the whole answer, or the last event of a stream that has begun. */
  refuse(error: WireError): void {
    if (this.#res.destroyed) return;
    if (!this.#res.headersSent) sendError(this.#call, error);
    else this.#res.end(streamError(this.#call.family, error, this.#call.id));
  }

  #send(status: number, body: Buffer, type: string, headers: Readonly<Record<string, string>>): void {
    if (this.#res.destroyed || this.#res.headersSent) return;
    const passed = Object.entries(headers)
      .filter(([name]) => PASSED.test(name))
      .flat();
    this.#res.writeHead(status, [
      "content-type",
      type,
      "content-length",
      String(body.length),
      ...this.#call.headers,
      ...passed,
    ]);
    this.#res.end(body);
  }

  #write(text: string): void {
    if (this.#res.destroyed || this.#res.writableEnded) return;
    if (!this.#res.headersSent) {
      this.#res.writeHead(200, [
        "content-type",
        "text/event-stream; charset=utf-8",
        "cache-control",
        "no-cache",
        ...this.#call.headers,
      ]);
    }
    if (this.#res.writableLength > MOST_WAITING) this.#res.destroy();
    else this.#res.write(text);
  }
}
