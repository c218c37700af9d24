import type { Answer, AttemptOwner, ReceivedHeaders } from "./answer.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { ClientSink } from "./client-sink.ts";
import { lastEventEnd } from "./event-boundary.ts";
import { lookOver, MAY_BE_TORN, MAY_FAIL } from "./event-look.ts";
import type { Inflow } from "./inflow.ts";
import { giantEvent, malformedEvent } from "./malformed-event.ts";
import type { Outflow } from "./outflow.ts";
import { errorEventAt } from "./stream-watch.ts";

const DATA = Buffer.from("data:");

/**
 * An event stream: whole events are passed on as they come (byte for byte where client and engine speak the same), half an
 * event waits for its other half. The head waits for the first event with data, so that an engine that dies before it
 * can be replaced unseen. A stream that does not come to its end is never ended as if it were whole.
 */
export class StreamAnswer implements Answer {
  readonly #owner: AttemptOwner;
  readonly #sink: ClientSink;
  readonly #received: ReceivedHeaders;
  readonly #outflow: Outflow;
  readonly #inflow: Inflow | undefined;
  #held: Buffer | undefined;
  /** Something of this engine went to the client. */
  #passed = false;
  #refused = false;

  constructor(owner: AttemptOwner, sink: ClientSink, received: ReceivedHeaders) {
    this.#owner = owner;
    this.#sink = sink;
    this.#received = received;
    this.#outflow = owner.outflow();
    this.#inflow = owner.inflow();
  }

  data(chunk: Buffer): void {
    if (this.lent(chunk, 0, chunk.length)) return;
    const held = this.#held?.length ?? 0;
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const end = this.#passable(bytes, held);
    this.#held = end === bytes.length ? undefined : end === 0 ? bytes : bytes.subarray(end);
    if (end === 0 || this.#refused) return;
    this.#take(end === bytes.length ? bytes : bytes.subarray(0, end));
  }

  /** Takes deltas such as nearly all events of an engine are: nothing has to be looked for in them. */
  lent(bytes: Buffer, from: number, end: number): boolean {
    if (this.#refused) return true;
    if (this.#held !== undefined || this.#inflow !== undefined) return false;
    if (end - from > this.#owner.limits.eventBytes) return false;
    const outflow = this.#outflow;
    if (!outflow.takesDeltas(bytes, from, end)) return false;
    if (outflow.translates) this.#send(outflow.translated(bytes.subarray(from, end)));
    else {
      this.#begins();
      this.#sink.writeLent(bytes, from, end);
    }
    return true;
  }

  /** Whole events; what stands before one that is broken is the client's, behind it nothing can be believed. */
  #take(events: Buffer): void {
    const seen = lookOver(events);
    const { eventBytes } = this.#owner.limits;
    if ((seen & (MAY_FAIL | MAY_BE_TORN)) === 0 && events.length <= eventBytes) {
      this.#pass(events, seen);
      return;
    }
    const malformed = this.#outflow.wasTorn ? undefined : malformedEvent(events);
    const failed = errorEventAt(events);
    const giant = this.#isRead ? giantEvent(events, eventBytes) : undefined;
    const bad = [malformed, failed, giant].filter((at) => at !== undefined).toSorted((a, b) => a - b)[0];
    if (bad === undefined) {
      this.#pass(events, seen);
      return;
    }
    const before = events.subarray(0, bad);
    if (before.includes(DATA)) this.#pass(before);
    if (bad === failed) this.#refuse(`it ended its answer with an error: ${saidIn(events.subarray(bad))}`);
    else if (bad === malformed) this.#refuse("it sent an event that is no JSON");
    else this.#refuseGiant();
  }

  /** The events are read for the client, rather than passed on as they are. */
  get #isRead(): boolean {
    return this.#inflow !== undefined || this.#outflow.translates || this.#sink.outlet.readsEvents === true;
  }

  #refuseGiant(): void {
    this.#refuse(`it sent an event of more than ${this.#owner.limits.eventBytes} bytes`);
  }

  #refuse(why: string): void {
    this.#held = undefined;
    this.#refused = true;
    this.#sink.refuse(why);
  }

  end(): void {
    const rest = this.#held;
    // Some engines end with `data: [DONE]` and a single line feed: in good order that is whole.
    if (rest !== undefined) {
      this.#held = undefined;
      if (!this.#isRead) this.#outflow.seeRest(rest);
      else this.#take(Buffer.concat([rest, Buffer.from("\n\n")]));
    }
    const owed = this.#inflow?.end() ?? "";
    if (owed !== "") this.#send(this.#outflow.pass(Buffer.from(owed)));
    if (!this.#outflow.whole) {
      this.broken({ kind: "cut", message: "it ended without a finish reason" });
      return;
    }
    this.#commit();
    // One that goes on where only the end was missing: what it said comes out with the translator's last events.
    if (this.#owner.resumes && !this.#passed) this.#owner.said();
    const last = this.#outflow.end();
    if (last !== "") this.#sink.outlet.write(last);
    this.#sink.outlet.end(this.#isRead ? undefined : rest);
    this.#owner.finished(this.#outflow.usage);
  }

  broken(failure: AttemptFailure): void {
    if (!this.#outflow.committed || (this.#owner.resumes && !this.#passed)) this.#owner.broken(failure);
    else if (this.#outflow.done) {
      // The engine died after its last word: the client has everything.
      const last = this.#outflow.end();
      this.#sink.outlet.end(last === "" ? undefined : last);
      this.#owner.finished(this.#outflow.usage);
    } else this.#owner.cut(failure);
  }

  /** How many of the bytes may go to the client now. */
  #passable(bytes: Buffer, held: number): number {
    const outflow = this.#outflow;
    // A head that waits keeps whole events back, too.
    const end = lastEventEnd(bytes, outflow.committed ? held : 0);
    if (end > 0) {
      if (outflow.torn) outflow.torn = false;
      if (outflow.committed || bytes.subarray(0, end).includes(DATA)) return end;
    }
    if (bytes.length <= this.#owner.limits.eventBytes) return 0;
    if (this.#isRead) {
      this.#refuseGiant();
      return 0;
    }
    outflow.torn = outflow.wasTorn = end < bytes.length;
    return bytes.length;
  }

  #pass(events: Buffer, seen?: number): void {
    if (this.#inflow === undefined) this.#send(this.#outflow.pass(events, seen));
    else {
      const lane = this.#inflow.push(events, seen);
      if (this.#inflow.refused !== undefined) this.#refuse(this.#inflow.refused);
      else if (lane !== "") this.#sendLane(Buffer.from(lane));
    }
  }

  #sendLane(events: Buffer): void {
    const outflow = this.#outflow;
    if (!outflow.takesDeltas(events, 0, events.length)) this.#send(outflow.pass(events));
    else this.#send(outflow.translates ? outflow.translated(events) : events);
  }

  #send(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#begins();
    this.#sink.write(bytes);
  }

  /** Something of the answer goes to the client. */
  #begins(): void {
    this.#commit();
    this.#passed = true;
    this.#owner.said();
  }

  #commit(): void {
    if (this.#outflow.committed) return;
    this.#outflow.committed = true;
    const head = this.#owner.head(this.#received, this.#outflow);
    // A client that waited for its model has the head already.
    if (!this.#sink.outlet.headersSent) this.#sink.outlet.writeHead(200, head);
  }
}

/** What an error event says, short enough for a sentence. */
function saidIn(event: Buffer): string {
  const text = event.toString("utf8", 0, 2048);
  const message = /"message"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  if (message === undefined) return "it does not say which";
  try {
    return String(JSON.parse(message.replaceAll(/[\r\n]/g, " "))).slice(0, 300);
  } catch {
    return message.slice(1, 301);
  }
}
