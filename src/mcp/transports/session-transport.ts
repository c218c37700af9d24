import type {
  JSONRPCMessage,
  MessageExtraInfo,
  RequestId,
  Transport,
  TransportSendOptions,
} from "@modelcontextprotocol/server";

import { EventBuffer } from "./event-buffer.ts";
import type { Exchange } from "./exchange.ts";
import { isAnswer } from "./json-rpc.ts";
import { PostStream } from "./post-stream.ts";

/** Number of the stream that belongs to no request: the client's GET. */
const STANDALONE = 0;
/** The first revision whose clients take an event without data, which tells them where to go on from. */
const PRIMES = "2025-11-25";

/** The transport of a session over Streamable HTTP (2025-03-26 to 2025-11-25), as the SDK's server sees it. */
export class SessionTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  readonly sessionId: string;
  /** Called with each request that is over: answered or cancelled. */
  onOver: ((id: RequestId) => void) | undefined;
  /** The revision that was agreed on; empty before. */
  revision = "";
  readonly #buffer = new EventBuffer();
  readonly #streams = new Map<number, PostStream>();
  readonly #byRequest = new Map<RequestId, PostStream>();
  readonly #calls = new Map<RequestId, AbortController>();
  #standalone: Exchange | undefined;
  #lastStream = STANDALONE;
  #closed = false;

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  setProtocolVersion(version: string): void {
    this.revision = version;
  }

  /** Requests that are not answered. */
  get running(): number {
    return this.#byRequest.size;
  }

  /** Whether the client holds a stream open. */
  get listening(): boolean {
    return this.#standalone !== undefined;
  }

  isRunning(id: RequestId): boolean {
    return this.#byRequest.has(id);
  }

  /** Begins a call that the server does not see. */
  call(id: RequestId, exchange: Exchange): { readonly stream: PostStream; readonly signal: AbortSignal } {
    const controller = new AbortController();
    this.#calls.set(id, controller);
    return { stream: this.#open([id], false, exchange), signal: controller.signal };
  }

  /** Gives a call that the server did not see to it: its answer has to take another form. */
  takeLongWay(message: JSONRPCMessage & { readonly id: RequestId }): void {
    this.#calls.delete(message.id);
    this.onmessage?.(message);
  }

  /** Answers a request. */
  answer(id: RequestId, text: string): void {
    this.#calls.delete(id);
    this.onOver?.(id);
    const stream = this.#byRequest.get(id);
    this.#byRequest.delete(id);
    if (stream?.answer(id, text) === true) this.#streams.delete(stream.number);
  }

  /** Hands messages of one POST to the server, and answers the requests among `ids` on `exchange`. */
  post(
    messages: readonly JSONRPCMessage[],
    ids: readonly RequestId[],
    batch: boolean,
    exchange: Exchange,
  ): void {
    this.#open(ids, batch, exchange);
    for (const message of messages) this.onmessage?.(message);
  }

  /** Hands over messages that want no answer. A request that is cancelled gets none, so its stream may end. */
  notify(messages: readonly JSONRPCMessage[]): void {
    for (const message of messages) {
      this.onmessage?.(message);
      if (!("method" in message) || message.method !== "notifications/cancelled") continue;
      const id = message.params?.["requestId"];
      if (typeof id === "string" || typeof id === "number") this.#drop(id);
    }
  }

  /** Opens the client's own stream; false when it has one. */
  listen(exchange: Exchange): boolean {
    if (this.#standalone !== undefined) return false;
    this.#attachStandalone(exchange);
    exchange.stream();
    if (this.revision >= PRIMES) exchange.prime(this.#buffer.next(STANDALONE));
    return true;
  }

  /** Goes on where the client's connection broke; false when the id is none of this session's. */
  resume(lastEventId: string, exchange: Exchange): boolean {
    const missed = this.#buffer.after(lastEventId);
    if (missed === undefined) return false;
    const stream = this.#streams.get(missed.stream);
    if (missed.stream !== STANDALONE && stream === undefined && missed.events.length === 0) {
      exchange.end();
      return true;
    }
    exchange.stream();
    for (const { id, text } of missed.events) exchange.event(text, id);
    if (missed.stream === STANDALONE) {
      this.#standalone?.end();
      this.#attachStandalone(exchange);
    } else if (stream === undefined) exchange.end();
    else {
      stream.attach(exchange);
      this.#watch(stream, exchange);
    }
    return true;
  }

  send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const text = JSON.stringify(message);
    if (isAnswer(message)) this.answer(message.id, text);
    else if (options?.relatedRequestId === undefined) {
      const id = this.#buffer.add(STANDALONE, text);
      this.#standalone?.event(text, id);
    } else this.#byRequest.get(options.relatedRequestId)?.send(text);
    return Promise.resolve();
  }

  /** Ends all streams, and the server's part with what runs. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#standalone?.end();
    this.#standalone = undefined;
    for (const stream of this.#streams.values()) stream.destroy();
    this.#streams.clear();
    this.#byRequest.clear();
    for (const controller of this.#calls.values()) controller.abort();
    this.#calls.clear();
    this.onclose?.();
    return Promise.resolve();
  }

  #open(ids: readonly RequestId[], batch: boolean, exchange: Exchange): PostStream {
    this.#lastStream += 1;
    const stream = new PostStream(this.#lastStream, exchange, this.#buffer, ids, {
      batch,
      primes: this.revision >= PRIMES,
    });
    this.#streams.set(stream.number, stream);
    for (const id of ids) this.#byRequest.set(id, stream);
    this.#watch(stream, exchange);
    return stream;
  }

  #attachStandalone(exchange: Exchange): void {
    this.#standalone = exchange;
    exchange.onGone = () => {
      if (this.#standalone === exchange) this.#standalone = undefined;
    };
  }

  /**
   * A client whose connection breaks has not cancelled anything where it can come back for the answer. Where it was never told of
   * an event it cannot: the answer would be nobody's, so what runs is aborted.
   */
  #watch(stream: PostStream, exchange: Exchange): void {
    exchange.onGone = () => {
      stream.detach();
      if (stream.resumable) return;
      for (const requestId of stream.pending) {
        this.onmessage?.({
          jsonrpc: "2.0",
          method: "notifications/cancelled",
          params: { requestId, reason: "the client is gone" },
        });
        this.#drop(requestId);
      }
    };
  }

  #drop(id: RequestId): void {
    this.#calls.get(id)?.abort();
    this.#calls.delete(id);
    this.onOver?.(id);
    const stream = this.#byRequest.get(id);
    if (stream === undefined) return;
    this.#byRequest.delete(id);
    stream.pending.delete(id);
    if (stream.pending.size > 0) return;
    stream.finish();
    this.#streams.delete(stream.number);
  }
}
