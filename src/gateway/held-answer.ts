import { formatBytes } from "../core/index.ts";
import { readEngineError, wireErrorBody } from "../dialects/index.ts";
import type { Answer, AttemptOwner, ReceivedHeaders } from "./answer.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { ClientSink } from "./client-sink.ts";
import { findUsage } from "./usage.ts";

const JSON_TYPE = "application/json";
const SPACE = 0x20;
const OPEN = 0x7b;
const OPEN_LIST = 0x5b;
const CLOSE = 0x7d;
const CLOSE_LIST = 0x5d;

/** Bytes at the end of an answer within which its usage is found, also where that came in two chunks. */
const TAIL = 4096;

/** What a status says about the engine rather than about the request. Anthropic answers 529 when it is overloaded. */
const KIND_OF_STATUS: ReadonlyMap<number, AttemptFailure["kind"]> = new Map([
  [401, "denied"],
  [403, "denied"],
  [429, "busy"],
  [500, "faulty"],
  [502, "unready"],
  [503, "unready"],
  [504, "unready"],
  [529, "busy"],
]);

const NOTHING = Buffer.alloc(0);

/** No engine's error needs more to say what is wrong. */
const FAULT_BYTES = 4096;

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
  /** The end of what was passed on: engines count there. */
  #tail: Buffer = NOTHING;

  constructor(owner: AttemptOwner, sink: ClientSink, status: number, received: ReceivedHeaders) {
    this.#owner = owner;
    this.#sink = sink;
    this.#status = status;
    this.#received = received;
  }

  data(chunk: Buffer): void {
    if (this.#passing) {
      this.#passOn(chunk);
      return;
    }
    this.#chunks.push(chunk);
    // Speech is listened to while it is made.
    if (this.#size === 0 && this.#status === 200 && this.#isSound()) {
      this.#size = chunk.length;
      this.#passOnFromHere();
      return;
    }
    this.#size += chunk.length;
    if (this.#size > this.#owner.limits.holdBytes) this.#passOnFromHere();
  }

  end(): void {
    if (this.#passing) {
      this.#sink.outlet.end();
      this.#owner.finished(findUsage(this.#tail));
      return;
    }
    if (this.#deliveredFault()) return;
    const kind = KIND_OF_STATUS.get(this.#status);
    if (this.#owner.resumes) {
      const message = `it answered ${this.#status} instead of going on`;
      this.#owner.broken({ kind: kind ?? "garbage", message });
    } else if (kind !== undefined) {
      const message = `the engine answered ${this.#status}`;
      // What an engine says of Omni's own key is nothing for the client.
      this.#owner.broken(
        kind === "denied" ? { kind, message } : { kind, message, passOn: () => this.#deliver() },
      );
    } else {
      const failure = this.#status === 200 ? this.#brokenJson() : undefined;
      if (failure === undefined) this.#deliver();
      else this.#owner.broken(failure);
    }
  }

  broken(failure: AttemptFailure): void {
    if (!this.#passing) {
      this.#owner.broken(failure);
      return;
    }
    this.#sink.outlet.destroy();
    this.#owner.cut(failure);
  }

  #passOnFromHere(): void {
    const { outlet } = this.#sink;
    if (outlet.headersSent || this.#owner.request.translation !== undefined) {
      // It would have to be one event of a stream, or be read as a whole.
      this.#chunks = [];
      this.#sink.refuse(`its answer is larger than ${formatBytes(this.#owner.limits.holdBytes)}`);
      return;
    }
    this.#passing = true;
    const length = this.#received["content-length"];
    const lengthHeader = typeof length === "string" ? ["content-length", length] : [];
    outlet.writeHead(this.#status, [...this.#owner.head(this.#received), ...lengthHeader]);
    for (const chunk of this.#chunks) this.#passOn(chunk);
    this.#chunks = [];
  }

  #passOn(chunk: Buffer): void {
    const before = chunk.length < TAIL ? this.#tail.subarray(-TAIL) : this.#tail.subarray(0, 0);
    this.#tail = before.length === 0 ? chunk : Buffer.concat([before, chunk]);
    this.#sink.write(chunk);
  }

  #deliver(): void {
    this.#owner.deliver(this.#status, this.#received, this.#body());
  }

  /**
   * Delivers a 500 that says that the request cannot be done as the refusal that it is: clients do not repeat it, and
   * nobody takes the engine for a broken one.
   */
  #deliveredFault(): boolean {
    const { resumes, surface, request } = this.#owner;
    if (this.#status !== 500 || surface.requestFaults === undefined || resumes) return false;
    const body = this.#body();
    if (!surface.requestFaults.test(body.toString("utf8", 0, FAULT_BYTES))) return false;
    const { message } = readEngineError(request.dialect ?? "chat", 400, body);
    const refusal = {
      status: 400,
      type: "invalid_request_error",
      code: "unsupported_content",
      message,
    } as const;
    this.#owner.deliver(400, this.#received, Buffer.from(JSON.stringify(wireErrorBody("openai", refusal))));
    return true;
  }

  #body(): Buffer {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#size);
  }

  #isSound(): boolean {
    const type = this.#received["content-type"];
    return type !== JSON_TYPE && /^(?:audio\/|application\/octet-stream)/i.test(String(type ?? ""));
  }

  /** An engine that closes instead of counting bytes cuts its JSON unnoticed; the first and the last byte tell. */
  #brokenJson(): AttemptFailure | undefined {
    const type = this.#received["content-type"];
    if (type !== JSON_TYPE && !String(type ?? "").includes("json")) return undefined;
    const head = this.#chunks.find((chunk) => chunk.length > 0) ?? NOTHING;
    let from = 0;
    while (from < head.length && (head[from] ?? 0) <= SPACE) from++;
    if (from < head.length && head[from] !== OPEN && head[from] !== OPEN_LIST)
      return { kind: "garbage", message: "its answer is no JSON" };
    const tail = this.#chunks.findLast((chunk) => chunk.length > 0) ?? NOTHING;
    let at = tail.length - 1;
    while (at >= 0 && (tail[at] ?? 0) <= SPACE) at--;
    if (tail[at] === CLOSE || tail[at] === CLOSE_LIST) return undefined;
    return { kind: "cut", message: "its JSON ends in the middle" };
  }
}
