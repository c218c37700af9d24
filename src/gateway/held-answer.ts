import { formatBytes } from "../core/index.ts";
import type { Answer, AttemptOwner, ReceivedHeaders } from "./answer.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { ClientSink } from "./client-sink.ts";
import { findUsage } from "./usage.ts";

/**
 * An answer that is no event stream: held until it is whole, so that a cut one can be tried again unseen. One that is
 * larger than the limit is passed on as it comes; when that is cut, the client's connection is destroyed, because
 * nothing else in HTTP says "this is not all".
 */
export class HeldAnswer implements Answer {
  readonly #owner: AttemptOwner;
  readonly #sink: ClientSink;
  readonly #status: number;
  readonly #received: ReceivedHeaders;
  #chunks: Buffer[] = [];
  #size = 0;
  #passing = false;
  /** The newest chunk of an answer that is passed on; engines count at the end. */
  #last: Buffer | undefined;

  constructor(owner: AttemptOwner, sink: ClientSink, status: number, received: ReceivedHeaders) {
    this.#owner = owner;
    this.#sink = sink;
    this.#status = status;
    this.#received = received;
  }

  data(chunk: Buffer): void {
    if (this.#passing) {
      this.#last = chunk;
      this.#sink.write(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size > this.#owner.limits.holdBytes) this.#passOnFromHere();
  }

  end(): void {
    if (this.#passing) {
      this.#sink.res.end();
      this.#owner.finished(this.#last === undefined ? undefined : findUsage(this.#last));
    } else if (this.#status === 502 || this.#status === 503) {
      const message = `the engine answered ${this.#status}`;
      this.#owner.broken({ kind: "unready", message, passOn: () => this.#deliver() });
    } else if (this.#status === 500) {
      this.#owner.broken({
        kind: "faulty",
        message: "the engine answered 500",
        passOn: () => this.#deliver(),
      });
    } else if (this.#status === 200 && !this.#looksWhole()) {
      this.#owner.broken({ kind: "cut", message: "its JSON ends in the middle" });
    } else this.#deliver();
  }

  broken(failure: AttemptFailure): void {
    if (!this.#passing) {
      this.#owner.broken(failure);
      return;
    }
    this.#sink.res.destroy();
    this.#owner.cut(failure);
  }

  #passOnFromHere(): void {
    if (this.#sink.res.headersSent) {
      // It would have to be one event of a stream, and no client reads one of that size.
      this.#chunks = [];
      this.#sink.refuse(`its answer is larger than ${formatBytes(this.#owner.limits.holdBytes)}`);
      return;
    }
    this.#passing = true;
    const length = this.#received["content-length"];
    const lengthHeader = typeof length === "string" ? ["content-length", length] : [];
    this.#sink.res.writeHead(this.#status, [...this.#owner.head(this.#received), ...lengthHeader]);
    for (const chunk of this.#chunks) this.#sink.write(chunk);
    this.#chunks = [];
  }

  #deliver(): void {
    const [only] = this.#chunks;
    const body =
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#size);
    if (this.#sink.res.headersSent) this.#sink.res.end(asEvent(body));
    else {
      const head = this.#owner.head(this.#received);
      head.push("content-length", String(body.length));
      this.#sink.res.writeHead(this.#status, head);
      this.#sink.res.end(body);
    }
    this.#owner.finished(findUsage(body));
  }

  /** An engine that closes instead of counting bytes cuts its JSON unnoticed; the last byte tells. */
  #looksWhole(): boolean {
    if (!String(this.#received["content-type"] ?? "").includes("json")) return true;
    const tail = this.#chunks.findLast((chunk) => chunk.length > 0);
    const last = tail?.subarray(-64).toString("latin1").trimEnd().at(-1);
    return last === "}" || last === "]";
  }
}

/** The body as the last event of a stream whose head is gone: an engine's refusal reaches a client that waited for it. */
const asEvent = (body: Buffer): string =>
  `data: ${body
    .toString("utf8")
    .trim()
    .replaceAll(/[\r\n]+/g, " ")}\n\n`;
