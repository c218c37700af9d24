import type { Answer, AttemptOwner, ReceivedHeaders } from "./answer.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import { cutError } from "./attempt-failure.ts";
import type { ClientSink } from "./client-sink.ts";
import { lastEventEnd } from "./event-boundary.ts";
import { malformedEvent } from "./malformed-event.ts";
import { StreamWatch } from "./stream-watch.ts";
import { errorEvent } from "./wire-error.ts";

const DATA = Buffer.from("data:");

/**
 * An event stream: whole events are passed on byte for byte as they come, half an event waits for its other half.
 * The head waits for the first event with data, so that an engine that dies before it can be replaced unseen. A stream
 * that does not come to its end is ended with an error event, never as if it were whole.
 */
export class StreamAnswer implements Answer {
  readonly #owner: AttemptOwner;
  readonly #sink: ClientSink;
  readonly #received: ReceivedHeaders;
  readonly #watch = new StreamWatch();
  #held: Buffer | undefined;
  #committed = false;
  #refused = false;
  /** True once a part of an event had to be passed on because it was larger than the limit. */
  #torn = false;

  constructor(owner: AttemptOwner, sink: ClientSink, received: ReceivedHeaders) {
    this.#owner = owner;
    this.#sink = sink;
    this.#received = received;
  }

  data(chunk: Buffer): void {
    if (this.#refused) return;
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const end = this.#passable(bytes);
    this.#held = end === bytes.length ? undefined : end === 0 ? bytes : bytes.subarray(end);
    if (end === 0) return;
    const events = end === bytes.length ? bytes : bytes.subarray(0, end);
    const malformed = this.#torn ? undefined : malformedEvent(events);
    if (malformed === undefined) this.#pass(events);
    else this.#refuse(events.subarray(0, malformed));
  }

  /** What came before the event that is none is the client's; behind it nothing can be believed. */
  #refuse(before: Buffer): void {
    if (before.includes(DATA)) this.#pass(before);
    this.#held = undefined;
    this.#refused = true;
    this.#sink.refuse("it sent an event that is no JSON");
  }

  end(): void {
    const rest = this.#held;
    // Some engines end with `data: [DONE]` and a single line feed: in good order that is whole.
    if (rest !== undefined) this.#watch.see(rest);
    if (!this.#watch.whole) {
      this.broken({ kind: "cut", message: "it ended without a finish reason" });
      return;
    }
    if (!this.#committed) this.#commit();
    this.#sink.res.end(rest);
    this.#owner.finished(this.#watch.usage);
  }

  broken(failure: AttemptFailure): void {
    if (!this.#committed) {
      this.#owner.broken(failure);
    } else if (this.#watch.done || this.#watch.failed) {
      // The engine died after its last word: the client has everything, or has been told.
      this.#sink.res.end();
      this.#owner.finished(this.#watch.usage);
    } else {
      this.#endWithError(failure);
      this.#owner.cut(failure);
    }
  }

  /** How many of the bytes may go to the client now. */
  #passable(bytes: Buffer): number {
    const end = lastEventEnd(bytes);
    if (end > 0) {
      this.#torn = false;
      if (this.#committed || bytes.subarray(0, end).includes(DATA)) return end;
    }
    if (bytes.length <= this.#owner.limits.eventBytes) return 0;
    this.#torn = end < bytes.length;
    return bytes.length;
  }

  #pass(events: Buffer): void {
    if (!this.#committed) this.#commit();
    this.#watch.see(events);
    this.#sink.write(events);
  }

  #commit(): void {
    this.#committed = true;
    // A client that waited for its model has the head already.
    if (!this.#sink.res.headersSent) this.#sink.res.writeHead(200, this.#owner.head(this.#received));
  }

  #endWithError(failure: AttemptFailure): void {
    const { res } = this.#sink;
    if (this.#torn) res.write("\n\n");
    const { socket } = res;
    res.end(errorEvent(cutError(failure, this.#owner.service)), () => socket?.end());
  }
}
