import {
  isJSONRPCRequest,
  type CallToolResult,
  type ClientCapabilities,
  type InboundModernRoute,
  type JSONRPCRequest,
  type LoggingLevel,
  type MessageClassification,
  type RequestId,
} from "@modelcontextprotocol/server";

import type { Asker } from "../hub.ts";
import type { Answer } from "../provider.ts";
import type { DirectCall } from "./direct-call.ts";
import type { EndpointContext } from "./endpoint-context.ts";
import { Exchange } from "./exchange.ts";
import type { Origin, Origins } from "./hub-context.ts";
import { createHubServer } from "./hub-server.ts";
import { MODERN, RPC } from "./json-rpc.ts";
import { Listeners } from "./listen.ts";
import type { McpRequest } from "./mcp-request.ts";
import { ModernCalls } from "./modern-call.ts";
import { ModernTransport } from "./modern-transport.ts";
import { ParamHeaders } from "./param-headers.ts";
import { checkStandardHeaders } from "./standard-headers.ts";

/** A request of the stateless era names everything itself: nothing is known of its connection. */
class OneOrigin implements Origins {
  readonly #origin: Origin;
  readonly #first: Promise<Answer<CallToolResult>> | undefined;

  constructor(asker: Asker, request: string, first?: Promise<Answer<CallToolResult>>) {
    this.#origin = { asker, request };
    this.#first = first;
  }

  first(): Promise<Answer<CallToolResult>> | undefined {
    return this.#first;
  }

  origin(_id: RequestId): Origin {
    return this.#origin;
  }

  logLevel(): LoggingLevel | undefined {
    return undefined;
  }

  capabilities(): ClientCapabilities | undefined {
    return undefined;
  }
}

/** Serves requests of the stateless era (2026-07-28): one server for each, which is gone with the answer. */
export class ModernEndpoint {
  readonly listeners: Listeners;
  readonly params: ParamHeaders;
  readonly #context: EndpointContext;
  readonly #calls: ModernCalls;
  readonly #open = new Set<ModernTransport>();

  constructor(context: EndpointContext) {
    this.#context = context;
    this.listeners = new Listeners(context);
    this.params = new ParamHeaders(context.hub);
    this.#calls = new ModernCalls(context, this.params, (request, call, exchange, answer) => {
      const asker: Asker = { caller: request.caller, channel: "http" };
      const message = callMessage(call);
      const kind = { era: "modern", revision: MODERN } as const;
      void this.#connect(kind, message, new OneOrigin(asker, request.id, answer), "", exchange);
    });
  }

  /** Requests that run, and streams of changes. */
  get open(): number {
    return this.#open.size + this.#calls.running + this.listeners.size;
  }

  /** Serves a plain call the short way; false when it is none. */
  call(request: McpRequest, body: unknown): boolean {
    return this.#calls.serve(request, body);
  }

  /** Answers a request that was classified as one of this era. Never rejects. */
  async serve(request: McpRequest, route: InboundModernRoute): Promise<void> {
    const exchange = new Exchange(request, this.#context.pulse);
    const { message, classification } = route;
    const id = "id" in message ? message.id : null;
    const revision = classification.revision ?? "unknown";
    if (revision !== MODERN) {
      exchange.refuse({
        status: 400,
        code: RPC.unsupportedVersion,
        message: `Unsupported protocol version: ${revision}`,
        data: { supported: [MODERN], requested: revision },
        id,
      });
      return;
    }
    if (!isJSONRPCRequest(message)) {
      // Nothing runs beyond its own request here that a notification could be about.
      exchange.bare(202);
      return;
    }
    const asker: Asker = { caller: request.caller, channel: "http" };
    const refusal =
      checkStandardHeaders(request.headers, message.method, message.params, revision) ??
      (await this.params.check(request.headers, message.method, message.params, asker));
    if (refusal === undefined) await this.#dispatch(request, route, message, asker, exchange);
    else exchange.refuse({ ...refusal, id });
  }

  /** Aborts what runs, and ends all streams of changes. */
  close(): void {
    this.listeners.close();
    this.#calls.close();
    for (const transport of this.#open) void transport.close();
  }

  async #dispatch(
    request: McpRequest,
    { classification }: InboundModernRoute,
    message: JSONRPCRequest,
    asker: Asker,
    exchange: Exchange,
  ): Promise<void> {
    if (exchange.done) return;
    if (message.method === "subscriptions/listen") {
      await this.listeners.serve(message, asker, exchange);
      return;
    }
    const instructions = message.method === "server/discover" ? await this.#instructions(asker) : "";
    const origins = new OneOrigin(asker, request.id);
    await this.#connect(classification, message, origins, instructions, exchange);
  }

  async #connect(
    classification: MessageClassification,
    message: JSONRPCRequest,
    origins: Origins,
    instructions: string,
    exchange: Exchange,
  ): Promise<void> {
    if (exchange.done) return;
    const { hub, version, log, roundTime } = this.#context;
    const server = createHubServer({ hub, version, instructions, origins, roundTime, log });
    const transport = new ModernTransport(exchange, classification);
    this.#open.add(transport);
    Object.assign(server, { onclose: () => this.#open.delete(transport) });
    await server.connect(transport);
    transport.deliver(message);
  }

  /** How to use what there is; a client gets on without, so that a failure here is none of its request. */
  async #instructions(asker: Asker): Promise<string> {
    try {
      return await this.#context.hub.instructions(asker);
    } catch (thrown) {
      this.#context.log(`MCP: no instructions: ${String(thrown)}`);
      return "";
    }
  }
}

/** The message of a call, again. */
const callMessage = ({ id, name, args, meta }: DirectCall): JSONRPCRequest => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: { ...args }, _meta: { ...meta } },
});
