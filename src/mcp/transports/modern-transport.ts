import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  type MessageClassification,
  PerRequestHTTPServerTransport,
  type RequestId,
  type TransportSendOptions,
} from "@modelcontextprotocol/server";

import type { Exchange } from "./exchange.ts";
import { isAnswer, RPC } from "./json-rpc.ts";

/** Status of HTTP for errors that are found before a request is handled; all else is an answer, and so 200. */
const LADDER: ReadonlyMap<number, number> = new Map([
  [RPC.parse, 400],
  [RPC.invalidRequest, 400],
  [RPC.methodNotFound, 404],
  [RPC.unsupportedVersion, 400],
  [RPC.missingCapability, 400],
  [RPC.headerMismatch, 400],
]);

/**
 * The SDK's transport for one request, with its answer written straight to the client: no `Request` and `Response` between. A server
 * knows by its class which era it serves.
 */
export class ModernTransport extends PerRequestHTTPServerTransport {
  readonly #exchange: Exchange;
  readonly #kind: MessageClassification;
  #id: RequestId | undefined;
  #dispatching = false;
  #ended = false;

  constructor(exchange: Exchange, classification: MessageClassification) {
    super({ classification });
    this.#exchange = exchange;
    this.#kind = classification;
    exchange.onGone = () => void this.close();
  }

  /** Hands the request to the connected server; its answer goes to the client when it is there. */
  deliver(message: JSONRPCRequest): void {
    this.#id = message.id;
    this.#dispatching = true;
    try {
      this.onmessage?.(message, { classification: this.#kind });
    } finally {
      this.#dispatching = false;
    }
  }

  override send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (this.#ended) return Promise.resolve();
    if (isAnswer(message)) {
      if (message.id === this.#id) this.#answer(message);
    } else if (options?.relatedRequestId === this.#id) {
      this.#exchange.event(JSON.stringify(message));
    }
    return Promise.resolve();
  }

  /** Ends the server's part: a call that still runs is aborted. */
  override close(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    this.#ended = true;
    this.onclose?.();
    return Promise.resolve();
  }

  #answer(message: JSONRPCMessage): void {
    const text = JSON.stringify(message);
    if (this.#exchange.streaming) {
      this.#exchange.event(text);
      this.#exchange.end();
    } else this.#exchange.json(this.#status(message), text);
    queueMicrotask(() => void this.close());
  }

  #status(message: JSONRPCMessage): number {
    if (!("error" in message)) return 200;
    const { code } = message.error;
    return this.#dispatching || code === RPC.missingCapability ? (LADDER.get(code) ?? 200) : 200;
  }
}
