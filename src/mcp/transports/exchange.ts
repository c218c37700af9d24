import type { McpOutlet, McpRequest } from "./mcp-request.ts";
import { errorText, type Refusal } from "./json-rpc.ts";
import type { Beating, Pulse } from "./pulse.ts";

/** Bytes that may wait for a client before it is let go: it does not read what it asked for. */
const MAX_WAITING = 4 * 1024 * 1024;
/** Beats until headers go out although there is no answer: clients and proxies give up on a silent connection. */
const BEATS_TO_STREAM = 2;
/** Beats between comments that keep a quiet stream alive. */
const BEATS_TO_COMMENT = 3;
/** Beats for which a client may take nothing at all of what waits for it. */
const BEATS_TO_STALL = 12;

const STREAM_HEADERS = [
  "content-type",
  "text/event-stream",
  "cache-control",
  "no-cache, no-transform",
  "x-accel-buffering",
  "no",
];

/**
 * The answer to one HTTP request: JSON when there is only an answer, a stream of events as soon as there is anything before
 * it. A client that is gone or does not read is told of by `onGone`, once.
 */
export class Exchange implements Beating {
  /** Called when the client went before the end. */
  onGone: (() => void) | undefined;
  /** What a stream begins with, where it has to begin before anything is to be said. */
  onStream: (() => void) | undefined;
  readonly #out: McpOutlet;
  #headers: readonly string[];
  readonly #pulse: Pulse;
  #streaming = false;
  #done = false;
  #age = 0;
  #stalled = 0;
  #waiting = 0;

  constructor(request: McpRequest, pulse: Pulse, headers: readonly string[] = []) {
    this.#out = request.out;
    this.#headers = headers.length === 0 ? request.answerHeaders : [...request.answerHeaders, ...headers];
    this.#pulse = pulse;
    if (this.#out.destroyed) {
      this.#done = true;
      return;
    }
    this.#out.once("close", this.#closed);
    pulse.add(this);
  }

  get streaming(): boolean {
    return this.#streaming;
  }

  /** The answer is complete, or there is nobody who could get it. */
  get done(): boolean {
    return this.#done;
  }

  /** Adds a header to the answer, before it began. */
  name(header: string, value: string): void {
    this.#headers = [...this.#headers, header, value];
  }

  /** Answers with JSON that is text already. */
  json(status: number, text: string, headers: readonly string[] = []): void {
    if (this.#done) return;
    this.#finish();
    const bytes = Buffer.from(text);
    this.#out.writeHead(status, [
      ...this.#headers,
      ...headers,
      "content-type",
      "application/json",
      "content-length",
      String(bytes.length),
    ]);
    this.#out.end(bytes);
  }

  refuse(refusal: Refusal, headers: readonly string[] = []): void {
    this.json(refusal.status, errorText(refusal), headers);
  }

  /** Answers without a body: 202, 200, 405. */
  bare(status: number, headers: readonly string[] = []): void {
    if (this.#done) return;
    this.#finish();
    this.#out.writeHead(status, [...this.#headers, ...headers, "content-length", "0"]);
    this.#out.end();
  }

  /** Turns the answer into a stream of events; again it does nothing. */
  stream(): void {
    if (this.#done || this.#streaming) return;
    this.#streaming = true;
    this.#age = 0;
    this.#out.writeHead(200, [...this.#headers, ...STREAM_HEADERS]);
    this.onStream?.();
  }

  /** Sends one message as an event; the head goes with the first. */
  event(text: string, id?: string, name = "message"): void {
    this.stream();
    this.#write(`event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${text}\n\n`);
  }

  /** Tells where a client may go on from, before there is anything to say. */
  prime(id: string): void {
    this.stream();
    this.#write(`id: ${id}\ndata: \n\n`);
  }

  /** Ends a stream. */
  end(): void {
    if (this.#done) return;
    this.stream();
    this.#finish();
    this.#out.end();
  }

  /** Breaks it off. */
  destroy(): void {
    if (!this.#out.destroyed) this.#out.destroy();
    this.#closed();
  }

  beat(): void {
    this.#age += 1;
    const waiting = this.#out.writableLength;
    this.#stalled = this.#waiting > 0 && waiting >= this.#waiting ? this.#stalled + 1 : 0;
    this.#waiting = waiting;
    if (this.#stalled >= BEATS_TO_STALL) this.destroy();
    else if (!this.#streaming) {
      if (this.#age >= BEATS_TO_STREAM) this.stream();
    } else if (this.#age % BEATS_TO_COMMENT === 0) this.#write(": keepalive\n\n");
  }

  #write(text: string): void {
    if (this.#done) return;
    if (this.#out.writableLength > MAX_WAITING) {
      this.destroy();
      return;
    }
    this.#out.write(text);
  }

  #finish(): void {
    this.#done = true;
    this.onGone = undefined;
    this.onStream = undefined;
    this.#out.off("close", this.#closed);
    this.#pulse.delete(this);
  }

  readonly #closed = (): void => {
    if (this.#done) return;
    const gone = this.onGone;
    this.#finish();
    gone?.();
  };
}
