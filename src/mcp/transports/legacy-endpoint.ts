import {
  isJsonContentType,
  isSpecType,
  type JSONRPCMessage,
  parseJSONRPCMessage,
  type RequestId,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";

import { hasOtherEnvelope, readCall } from "./direct-call.ts";
import type { EndpointContext } from "./endpoint-context.ts";
import { Exchange } from "./exchange.ts";
import { echoableId, type Refusal, RPC } from "./json-rpc.ts";
import { headerOf, type McpRequest } from "./mcp-request.ts";
import { newSessionId, opensSession, Session } from "./session.ts";
import { callInSession } from "./session-call.ts";
import { SessionEntry } from "./session-entry.ts";
import type { SessionTable, TableEntry } from "./session-table.ts";
import { SessionTransport } from "./session-transport.ts";

/** The one revision that has batches. */
const BATCHES = "2025-03-26";
/** Sessions say once what others say in each request: one that does has lost its way. */
const NO_ENVELOPE: ReadonlySet<string> = new Set();
/** Messages of one batch. */
const MAX_BATCH = 100;

const refusal = (status: number, code: number, message: string): Refusal => ({ status, code, message });

const SESSION_REQUIRED = refusal(400, RPC.transport, "Bad Request: Mcp-Session-Id header is required");
const SESSION_UNKNOWN = refusal(404, RPC.unknownSession, "Session not found");

/** A session of Streamable HTTP. */
type HttpSession = SessionEntry<SessionTransport>;

/** Whether an `Accept` header takes a media type. */
function accepts(accept: string | undefined, type: string): boolean {
  if (accept === undefined) return false;
  const [group = ""] = type.split("/");
  return accept.includes(type) || accept.includes("*/*") || accept.includes(`${group}/*`);
}

/** Serves clients of the eras with sessions: POST, the client's own stream (GET), and the end (DELETE). */
export class LegacyEndpoint {
  readonly #context: EndpointContext;
  readonly #sessions: SessionTable<TableEntry>;
  readonly #http = new Map<string, HttpSession>();

  constructor(context: EndpointContext, sessions: SessionTable<TableEntry>) {
    this.#context = context;
    this.#sessions = sessions;
  }

  /** The session that a request names, where it is the caller's. */
  sessionOf(request: McpRequest): HttpSession | Refusal {
    const id = headerOf(request.headers, "mcp-session-id");
    if (id === undefined || id === "") return SESSION_REQUIRED;
    if (this.#sessions.use(id, request.caller.key) === undefined) return SESSION_UNKNOWN;
    const session = this.#http.get(id);
    if (session === undefined) return SESSION_UNKNOWN;
    return this.#checkRevision(request) ?? session;
  }

  /** Serves a plain call within a session the short way; false when it is none, and nothing has happened. */
  call(request: McpRequest, body: unknown): boolean {
    const call = readCall(body);
    if (call === undefined || hasOtherEnvelope(call.meta, NO_ENVELOPE)) return false;
    const accept = headerOf(request.headers, "accept");
    if (!accepts(accept, "application/json") || !accepts(accept, "text/event-stream")) return false;
    const found = this.sessionOf(request);
    if ("code" in found || found.transport.isRunning(call.id)) return false;
    const { id, session, transport } = found;
    const exchange = new Exchange(request, this.#context.pulse, ["mcp-session-id", id]);
    session.ask(request.caller);
    callInSession(this.#context, call, { session, transport, request: request.id }, exchange);
    return true;
  }

  /** Answers a POST whose body was read. Never rejects. */
  async post(request: McpRequest, body: unknown): Promise<void> {
    const exchange = new Exchange(request, this.#context.pulse);
    const id = echoableId(body);
    const refuse = (why: Refusal): void => exchange.refuse({ ...why, id });
    const accept = headerOf(request.headers, "accept");
    if (!accepts(accept, "application/json") || !accepts(accept, "text/event-stream")) {
      refuse(
        refusal(
          406,
          RPC.transport,
          "Not Acceptable: Client must accept both application/json and text/event-stream",
        ),
      );
      return;
    }
    if (opensSession(body) && headerOf(request.headers, "mcp-session-id") === undefined) {
      await this.#open(request, body, exchange);
      return;
    }
    const messages = readMessages(body);
    if ("code" in messages) {
      refuse(messages);
      return;
    }
    const found = this.sessionOf(request);
    if ("code" in found) {
      refuse(found);
      return;
    }
    const wrong = check(messages, found.transport, Array.isArray(body));
    if (wrong === undefined) this.#deliver(request, found, messages, Array.isArray(body), exchange);
    else refuse(wrong);
  }

  /** The client's own stream, for what the server says by itself. */
  get(request: McpRequest): void {
    const accept = headerOf(request.headers, "accept");
    const found: HttpSession | Refusal = accepts(accept, "text/event-stream")
      ? this.sessionOf(request)
      : refusal(406, RPC.transport, "Not Acceptable: Client must accept text/event-stream");
    if ("code" in found) {
      new Exchange(request, this.#context.pulse).refuse(found);
      return;
    }
    const exchange = new Exchange(request, this.#context.pulse, ["mcp-session-id", found.id]);
    const last = headerOf(request.headers, "last-event-id");
    if (last !== undefined && last !== "") {
      if (!found.transport.resume(last, exchange)) {
        exchange.refuse(refusal(400, RPC.transport, "Invalid event ID format"));
      }
    } else if (!found.transport.listen(exchange)) {
      exchange.refuse(refusal(409, RPC.transport, "Conflict: Only one SSE stream is allowed per session"));
    }
  }

  async delete(request: McpRequest): Promise<void> {
    const exchange = new Exchange(request, this.#context.pulse);
    const found = this.sessionOf(request);
    if ("code" in found) {
      exchange.refuse(found);
      return;
    }
    await found.end();
    exchange.bare(200);
  }

  async #open(request: McpRequest, body: unknown, exchange: Exchange): Promise<void> {
    const { hub, log } = this.#context;
    const asker = { caller: request.caller, channel: "http" } as const;
    const instructions = await hub.instructions(asker).catch((thrown: unknown) => {
      log(`MCP: no instructions: ${String(thrown)}`);
      return "";
    });
    // Nobody would ever end a session whose client is gone before it knew the id.
    if (exchange.done) return;
    const session = new Session(this.#context, newSessionId(), asker, instructions);
    const transport = new SessionTransport(session.id);
    transport.onOver = session.forget;
    const opened = new SessionEntry(session, transport);
    session.onEnd = () => {
      this.#http.delete(session.id);
      this.#sessions.delete(session.id);
    };
    await session.connect(transport);
    this.#sessions.add(opened);
    this.#http.set(session.id, opened);
    this.#deliver(request, opened, [parseJSONRPCMessage(body)], false, exchange);
  }

  #deliver(
    request: McpRequest,
    { id, session, transport }: HttpSession,
    messages: readonly JSONRPCMessage[],
    batch: boolean,
    exchange: Exchange,
  ): void {
    const ids = requestIds(messages);
    session.ask(request.caller);
    for (const one of ids) session.note(one, request.id);
    if (ids.length === 0) {
      transport.notify(messages);
      exchange.bare(202);
      return;
    }
    exchange.name("mcp-session-id", id);
    transport.post(messages, ids, batch, exchange);
  }

  #checkRevision(request: McpRequest): Refusal | undefined {
    const revision = headerOf(request.headers, "mcp-protocol-version");
    return revision === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(revision)
      ? undefined
      : refusal(
          400,
          RPC.transport,
          `Bad Request: Unsupported protocol version: ${revision} (supported versions: ${SUPPORTED_PROTOCOL_VERSIONS.join(", ")})`,
        );
  }
}

const requestIds = (messages: readonly JSONRPCMessage[]): RequestId[] =>
  messages.flatMap((message) => ("method" in message && "id" in message ? [message.id] : []));

function readMessages(body: unknown): readonly JSONRPCMessage[] | Refusal {
  const all: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (all.length > MAX_BATCH) {
    return refusal(
      400,
      RPC.invalidRequest,
      `Invalid Request: Batch must not exceed ${MAX_BATCH} messages, this one has ${all.length}`,
    );
  }
  const messages = all.filter((message) => isSpecType.JSONRPCMessage(message));
  return messages.length === all.length && all.length > 0
    ? messages
    : refusal(400, RPC.invalidRequest, "Invalid Request: the body is not a valid JSON-RPC message");
}

/** What is wrong with messages for this session; undefined when nothing is. */
function check(
  messages: readonly JSONRPCMessage[],
  transport: SessionTransport,
  batch: boolean,
): Refusal | undefined {
  if (messages.some((message) => opensSession(message))) {
    return refusal(400, RPC.invalidRequest, "Invalid Request: Server already initialized");
  }
  if (batch && transport.revision !== BATCHES) {
    return refusal(
      400,
      RPC.invalidRequest,
      `Invalid Request: revision ${transport.revision} has no batches; send one message at a time`,
    );
  }
  const ids = requestIds(messages);
  const used = ids.find((id, index) => transport.isRunning(id) || ids.indexOf(id) !== index);
  return used === undefined
    ? undefined
    : refusal(400, RPC.invalidRequest, `Invalid Request: id ${used} is that of a request that still runs`);
}

/** Whether a POST says that its body is JSON; else the refusal. */
export function checkContentType(request: McpRequest): Refusal | undefined {
  return isJsonContentType(headerOf(request.headers, "content-type"))
    ? undefined
    : refusal(415, RPC.transport, "Unsupported Media Type: Content-Type must be application/json");
}
