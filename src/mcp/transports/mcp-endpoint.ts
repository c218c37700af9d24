import { setTimeout as sleep } from "node:timers/promises";

import { classifyInboundRequest } from "@modelcontextprotocol/server";

import type { EventLog } from "../../core/index.ts";
import type { Hub } from "../hub.ts";
import type { EndpointContext } from "./endpoint-context.ts";
import { Exchange } from "./exchange.ts";
import { echoableId, MODERN, RPC } from "./json-rpc.ts";
import { checkContentType, LegacyEndpoint } from "./legacy-endpoint.ts";
import { headerOf, type McpRequest } from "./mcp-request.ts";
import { ModernEndpoint } from "./modern-endpoint.ts";
import { parseBody } from "./parse-body.ts";
import { Pulse } from "./pulse.ts";
import { type TableEntry, SessionTable } from "./session-table.ts";
import { SseEndpoint } from "./sse-endpoint.ts";

export type { McpRequest } from "./mcp-request.ts";

export interface McpEndpointOptions {
  readonly hub: Hub;
  /** Of Omni, for `serverInfo`. */
  readonly version: string;
  /** Sessions of older clients at most. */
  readonly sessions: number;
  /** How long a session may be idle, in milliseconds. */
  readonly sessionIdle: number;
  /** Bytes of a body at most. */
  readonly bodyLimit: number;
  readonly legacySse: boolean;
  /** Path of Streamable HTTP. */
  readonly path: string;
  readonly events: EventLog;
  /** How long a client may take for one question of a server, in milliseconds; ten minutes when absent. */
  readonly roundTime?: number;
  readonly log?: (line: string) => void;
}

/** MCP over HTTP, for clients of both eras. Host, origin and key are the business of the door before it. */
export interface McpEndpoint {
  /** Answers a request to the path of Streamable HTTP. */
  handle(request: McpRequest): void;
  /** Answers the GET that opens a stream of the old HTTP+SSE transport. */
  sse(request: McpRequest): void;
  /** Answers a POST to the old transport's `/messages`. */
  sseMessage(request: McpRequest): void;
  /** Open sessions, of both transports that have any. */
  sessions(): number;
  /**
   * Takes nothing new, ends sessions and streams that only wait, lets what runs finish for at most `deadline` milliseconds
   * (none when absent), and aborts the rest. A second call with less hurries the first.
   */
  close(deadline?: number): Promise<void>;
}

/** How often a closing endpoint looks whether anything runs still, in milliseconds. */
const LOOK_MS = 25;
const ROUND_TIME_MS = 600_000;
const NOT_ALLOWED = { status: 405, code: RPC.transport, message: "Method not allowed." };

class Endpoint implements McpEndpoint {
  readonly #context: EndpointContext;
  readonly #table: SessionTable<TableEntry>;
  readonly #modern: ModernEndpoint;
  readonly #legacy: LegacyEndpoint;
  readonly #sse: SseEndpoint | undefined;
  #closed: Promise<void> | undefined;
  /** Until when what runs may finish. */
  #until = Infinity;

  constructor(options: McpEndpointOptions) {
    const { hub, version, bodyLimit, events } = options;
    this.#context = {
      hub,
      version,
      bodyLimit,
      events,
      roundTime: options.roundTime ?? ROUND_TIME_MS,
      pulse: new Pulse(),
      log: options.log ?? (() => undefined),
    };
    this.#table = new SessionTable(options.sessions, options.sessionIdle, this.#context.pulse, events);
    this.#modern = new ModernEndpoint(this.#context);
    this.#legacy = new LegacyEndpoint(this.#context, this.#table);
    this.#sse = options.legacySse ? new SseEndpoint(this.#context, this.#table) : undefined;
  }

  handle(request: McpRequest): void {
    if (this.#isClosed(request)) return;
    if (request.method === "POST") this.#post(request);
    else if (headerOf(request.headers, "mcp-protocol-version") === MODERN) {
      this.#exchange(request).refuse(NOT_ALLOWED, ["allow", "POST"]);
    } else if (request.method === "GET") this.#legacy.get(request);
    else if (request.method === "DELETE") this.#run(request, this.#legacy.delete(request));
    else this.#exchange(request).refuse(NOT_ALLOWED, ["allow", "GET, POST, DELETE"]);
  }

  sse(request: McpRequest): void {
    if (this.#isClosed(request)) return;
    if (this.#sse === undefined) {
      this.#exchange(request).refuse({
        status: 404,
        code: RPC.transport,
        message:
          "The HTTP+SSE transport is switched off here; use Streamable HTTP, or gateway.mcp.legacySse.",
      });
    } else if (request.method === "GET") this.#run(request, this.#sse.stream(request));
    else this.#exchange(request).refuse(NOT_ALLOWED, ["allow", "GET"]);
  }

  sseMessage(request: McpRequest): void {
    if (this.#isClosed(request)) return;
    if (this.#sse === undefined || request.method !== "POST") {
      this.#exchange(request).refuse(
        this.#sse === undefined ? { ...NOT_ALLOWED, status: 404 } : NOT_ALLOWED,
        this.#sse === undefined ? [] : ["allow", "POST"],
      );
    } else this.#sse.message(request);
  }

  sessions(): number {
    return this.#table.size;
  }

  close(deadline = 0): Promise<void> {
    this.#until = Math.min(this.#until, performance.now() + deadline);
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#modern.listeners.close();
    for (;;) {
      await this.#table.endIdle();
      const left = this.#until - performance.now();
      if (left <= 0 || (this.#modern.open === 0 && this.#table.size === 0)) break;
      await sleep(Math.min(left, LOOK_MS));
    }
    this.#modern.close();
    await this.#table.close();
    this.#context.pulse.close();
  }

  #post(request: McpRequest): void {
    const wrong = checkContentType(request);
    if (wrong !== undefined) {
      this.#exchange(request).refuse(wrong);
      return;
    }
    const parsed = parseBody(request.body, this.#context.bodyLimit);
    if (!parsed.ok) {
      this.#exchange(request).refuse(parsed.refusal);
      return;
    }
    const { value: body } = parsed;
    if (this.#modern.call(request, body) || this.#legacy.call(request, body)) return;
    const route = classifyInboundRequest({ httpMethod: "POST", body, ...standardHeaders(request) });
    if (route.kind === "reject") {
      const { httpStatus: status, code, message, data } = route;
      this.#exchange(request).refuse({ status, code, message, data, id: echoableId(body) });
    } else if (route.kind === "modern") this.#run(request, this.#modern.serve(request, route));
    else this.#run(request, this.#legacy.post(request, body));
  }

  /** What must not fail has failed: the client is told, where it can still be told, and the log says why. */
  #run(request: McpRequest, work: Promise<void>): void {
    work.catch((thrown: unknown) => {
      this.#context.log(`MCP: ${request.id}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
      if (request.out.headersSent) request.out.destroy();
      else {
        this.#exchange(request).refuse({ status: 500, code: RPC.internal, message: "Internal server error" });
      }
    });
  }

  #exchange(request: McpRequest): Exchange {
    return new Exchange(request, this.#context.pulse);
  }

  #isClosed(request: McpRequest): boolean {
    if (this.#closed === undefined) return false;
    this.#exchange(request).refuse({
      status: 503,
      code: RPC.transport,
      message: "The tool gateway ends; try again.",
    });
    return true;
  }
}

function standardHeaders({ headers }: McpRequest): {
  protocolVersionHeader?: string;
  mcpMethodHeader?: string;
  mcpNameHeader?: string;
} {
  const version = headerOf(headers, "mcp-protocol-version");
  const method = headerOf(headers, "mcp-method");
  const name = headerOf(headers, "mcp-name");
  return {
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
  };
}

/** Opens the endpoint: no socket and no timer of its own while nothing is asked. */
export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  return new Endpoint(options);
}
