import type {
  JSONRPCMessage,
  JSONRPCRequest,
  StreamableHTTPClientTransportOptions,
} from "@modelcontextprotocol/client";
import {
  PROTOCOL_VERSION_META_KEY,
  SdkHttpError,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import type { Agent } from "undici";

import { messageOf } from "../../core/index.ts";
import { currentCall } from "./attribution.ts";
import type { Call } from "./call.ts";
import { DirectPost } from "./direct-post.ts";
import { messagesIn } from "./json-message.ts";
import { OrderedDelivery } from "./ordered-delivery.ts";

/** Code of the answer that takes the place of one that can no longer come; never on the wire. */
export const STREAM_ENDED = -32_099;

type SendOptions = Parameters<StreamableHTTPClientTransport["send"]>[1];

/** Names that travel as a header as they are; others are encoded, which is left to the SDK. */
const PLAIN = /^(?!=\?)[\u0021-\u007e]+$/;
const NAMED: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};

interface DirectOptions extends StreamableHTTPClientTransportOptions {
  readonly agent: Agent;
  /** Of every request. */
  readonly ownHeaders: Readonly<Record<string, string>>;
  /** Most bytes of one message. */
  readonly most: number;
}

/**
 * The SDK's transport, whose ordinary requests go past fetch: a request with a plain name, without OAuth, is sent and read
 * by the HTTP client itself. Everything else (handshakes, tokens, redirects, streams that are resumed) is the SDK's. It
 * also tells a request whose stream has ended without an answer, which the SDK lets time out.
 */
export class DirectTransport extends StreamableHTTPClientTransport {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #path: string;
  readonly #ownHeaders: Readonly<Record<string, string>>;
  readonly #most: number;
  readonly #isDirect: boolean;
  readonly #posts = new Map<number, DirectPost>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(url: URL, { agent, ownHeaders, most, ...options }: DirectOptions) {
    super(url, options);
    this.#agent = agent;
    this.#origin = url.origin;
    this.#path = `${url.pathname}${url.search}`;
    this.#most = most;
    this.#ownHeaders = Object.fromEntries(
      Object.entries(ownHeaders).map(([name, value]) => [name.toLowerCase(), value]),
    );
    this.#isDirect = options.authProvider === undefined;
  }

  override async send(message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions): Promise<void> {
    if (Array.isArray(message) || !("method" in message)) return super.send(message, options);
    if (!("id" in message)) {
      await super.send(message, options);
      this.#cancel(message);
      return;
    }
    const { id } = message;
    const headers = this.#isDirect && typeof id === "number" ? this.#headersFor(message) : undefined;
    if (headers === undefined || typeof id !== "number" || options?.onRequestStreamEnd !== undefined) {
      return this.#sendBySdk(message, options);
    }
    return this.#post(message, id, { ...headers, ...options?.headers }, options);
  }

  #sendBySdk(message: JSONRPCRequest, options: SendOptions): Promise<void> {
    if (options?.onRequestStreamEnd !== undefined) return super.send(message, options);
    const call = currentCall.getStore();
    const onRequestStreamEnd = (): void => this.#breakOff(message, call);
    return super.send(message, { ...options, onRequestStreamEnd });
  }

  #headersFor({ method, params }: JSONRPCRequest): Record<string, string> | undefined {
    if (method === "initialize") return undefined;
    const headers: Record<string, string> = {
      ...this.#ownHeaders,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    if (this.sessionId !== undefined) headers["mcp-session-id"] = this.sessionId;
    if (this.protocolVersion !== undefined) headers["mcp-protocol-version"] = this.protocolVersion;
    const version = params?._meta?.[PROTOCOL_VERSION_META_KEY];
    if (typeof version !== "string") return headers;
    headers["mcp-protocol-version"] = version;
    headers["mcp-method"] = method;
    const field = NAMED[method];
    if (field === undefined) return headers;
    const name = params?.[field];
    if (typeof name !== "string" || !PLAIN.test(name)) return undefined;
    headers["mcp-name"] = name;
    return headers;
  }

  #post(
    message: JSONRPCRequest,
    id: number,
    headers: Record<string, string>,
    options: SendOptions,
  ): Promise<void> {
    const call = currentCall.getStore();
    return new Promise((resolve, reject) => {
      let isTaken = false;
      let isAnswered = false;
      const delivery = new OrderedDelivery((part) => currentCall.run(call, () => this.onmessage?.(part)));
      const signal = options?.requestSignal;
      const abort = (): void => post.abort(new Error("aborted"));
      const over = (): void => {
        this.#posts.delete(id);
        signal?.removeEventListener("abort", abort);
      };
      const post = new DirectPost(this.#most, {
        onMessage: (part) => {
          if (!("method" in part) && part.id === id) isAnswered = true;
          delivery.push(part);
        },
        onTaken: () => {
          isTaken = true;
          resolve();
        },
        onEnd: (resumption) => {
          over();
          if (isAnswered) return;
          if (resumption === undefined) this.#breakOff(message, call);
          else this.#resume(message, call, resumption, signal);
        },
        onRefused: (error) => {
          over();
          // A stream that was taken cannot be rejected any more.
          if (isTaken) this.#breakOff(message, call, messageOf(error));
          else if (this.#isAnswerIn(error, id)) resolve();
          else reject(error);
        },
        onMoved: () => {
          over();
          this.#sendBySdk(message, options).then(resolve, reject);
        },
      });
      this.#posts.set(id, post);
      signal?.addEventListener("abort", abort, { once: true });
      const body = JSON.stringify(message);
      this.#agent.dispatch({ origin: this.#origin, path: this.#path, method: "POST", headers, body }, post);
    });
  }

  /** Errors of the modern era travel in answers with status 400. */
  #isAnswerIn(error: Error, id: number): boolean {
    if (!(error instanceof SdkHttpError) || error.data.status !== 400) return false;
    const { text } = error.data;
    if (typeof text !== "string") return false;
    try {
      const [part] = messagesIn(text);
      if (part === undefined || !("error" in part) || part.id !== id) return false;
      this.onmessage?.(part);
      return true;
    } catch {
      return false;
    }
  }

  #resume(
    message: JSONRPCRequest,
    call: Call | undefined,
    { id, wait }: { readonly id: string; readonly wait: number },
    signal: AbortSignal | undefined,
  ): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (signal?.aborted === true) return;
      currentCall
        .run(call, () =>
          super.send(message, {
            resumptionToken: id,
            ...(signal === undefined ? {} : { requestSignal: signal }),
          }),
        )
        .catch(() => this.#breakOff(message, call));
    }, wait);
    this.#timers.add(timer);
  }

  #breakOff({ id }: JSONRPCRequest, call: Call | undefined, reason = "its answer broke off"): void {
    if (call?.settled === true) return;
    this.onmessage?.({ jsonrpc: "2.0", id, error: { code: STREAM_ENDED, message: reason } });
  }

  /** Nobody waits for a cancelled request any more: its connection is let go when the server has been told. */
  #cancel(message: JSONRPCMessage): void {
    if (!("method" in message) || message.method !== "notifications/cancelled") return;
    const id = message.params?.["requestId"];
    if (typeof id !== "number") return;
    this.#posts.get(id)?.abort(new Error("cancelled"));
    this.#posts.delete(id);
  }

  override async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const post of this.#posts.values()) post.abort(new Error("closed"));
    this.#posts.clear();
    await super.close();
  }
}
