import {
  isSpecType,
  type JSONRPCMessage,
  type MessageExtraInfo,
  type RequestId,
  type Transport,
} from "@modelcontextprotocol/server";

import type { EndpointContext } from "./endpoint-context.ts";
import { Exchange } from "./exchange.ts";
import { echoableId, isAnswer, type Refusal, RPC } from "./json-rpc.ts";
import type { McpRequest } from "./mcp-request.ts";
import { checkContentType } from "./legacy-endpoint.ts";
import { parseBody } from "./parse-body.ts";
import { newSessionId, Session } from "./session.ts";
import { SessionEntry } from "./session-entry.ts";
import type { SessionTable, TableEntry } from "./session-table.ts";

/** Where clients of the old transport post to; it is told to them with the session's id. */
const MESSAGES_PATH = "/messages";

/** The old transport's one stream, as the SDK's server sees it. */
class SseTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  readonly sessionId: string;
  /** Called with each request that is answered. */
  onOver: ((id: RequestId) => void) | undefined;
  /** It lives as long as its stream. */
  readonly listening = true;
  readonly #exchange: Exchange;
  readonly #running = new Set<RequestId>();
  #closed = false;

  constructor(sessionId: string, exchange: Exchange) {
    this.sessionId = sessionId;
    this.#exchange = exchange;
    exchange.onGone = () => void this.close();
  }

  get running(): number {
    return this.#running.size;
  }

  began(id: RequestId): void {
    this.#running.add(id);
  }

  /** A request is answered, or nobody waits for its answer any more. */
  over(id: RequestId): void {
    this.#running.delete(id);
  }

  start(): Promise<void> {
    this.#exchange.event(`${MESSAGES_PATH}?sessionId=${this.sessionId}`, undefined, "endpoint");
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (isAnswer(message)) {
      this.over(message.id);
      this.onOver?.(message.id);
    }
    this.#exchange.event(JSON.stringify(message));
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#exchange.end();
    this.onclose?.();
    return Promise.resolve();
  }
}

/** Serves the HTTP+SSE transport of 2024-11-05: one stream down, a POST for each message up. */
export class SseEndpoint {
  readonly #context: EndpointContext;
  readonly #sessions: SessionTable<TableEntry>;
  readonly #open = new Map<string, SessionEntry<SseTransport>>();

  constructor(context: EndpointContext, sessions: SessionTable<TableEntry>) {
    this.#context = context;
    this.#sessions = sessions;
  }

  /** Opens a session with its stream. Never rejects. */
  async stream(request: McpRequest): Promise<void> {
    const { hub, pulse, log } = this.#context;
    const exchange = new Exchange(request, pulse);
    const asker = { caller: request.caller, channel: "sse" } as const;
    const instructions = await hub.instructions(asker).catch((thrown: unknown) => {
      log(`MCP: no instructions: ${String(thrown)}`);
      return "";
    });
    if (exchange.done) return;
    const session = new Session(this.#context, newSessionId(), asker, instructions);
    const transport = new SseTransport(session.id, exchange);
    transport.onOver = session.forget;
    const opened = new SessionEntry(session, transport);
    session.onEnd = () => {
      this.#open.delete(session.id);
      this.#sessions.delete(session.id);
    };
    this.#sessions.add(opened);
    this.#open.set(session.id, opened);
    await session.connect(transport);
  }

  /** Takes one message of a client; the answer goes down its stream. */
  message(request: McpRequest): void {
    const exchange = new Exchange(request, this.#context.pulse);
    const id = request.query.get("sessionId");
    const refuse = (status: number, code: number, message: string): void =>
      exchange.refuse({ status, code, message });
    if (id === null || id === "") {
      refuse(400, RPC.transport, "Bad Request: the sessionId of the stream is required in the address");
      return;
    }
    const known = this.#sessions.use(id, request.caller.key) !== undefined;
    const found = known ? this.#open.get(id) : undefined;
    if (found === undefined) {
      refuse(404, RPC.unknownSession, "Session not found");
      return;
    }
    const wrong = checkContentType(request);
    const parsed = parseBody(request.body, this.#context.bodyLimit);
    if (wrong !== undefined || !parsed.ok) {
      exchange.refuse(wrong ?? (parsed.ok ? INVALID : parsed.refusal));
      return;
    }
    const message = parsed.value;
    if (!isSpecType.JSONRPCMessage(message)) {
      exchange.refuse({ ...INVALID, id: echoableId(message) });
      return;
    }
    found.session.ask(request.caller);
    if ("method" in message && "id" in message) {
      found.session.note(message.id, request.id);
      found.transport.began(message.id);
    } else if ("method" in message && message.method === "notifications/cancelled") {
      const over = message.params?.["requestId"];
      if (typeof over === "string" || typeof over === "number") {
        found.session.forget(over);
        found.transport.over(over);
      }
    }
    exchange.bare(202);
    found.transport.onmessage?.(message);
  }
}

const INVALID: Refusal = {
  status: 400,
  code: RPC.invalidRequest,
  message: "Invalid Request: the body is not a valid JSON-RPC message",
};
