import type { IncomingHttpHeaders } from "node:http";

import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  classifyInboundRequest,
  type ClientCapabilities,
  LOG_LEVEL_META_KEY,
  type LoggingLevel,
  PROTOCOL_VERSION_META_KEY,
} from "@modelcontextprotocol/server";

import { isLevel } from "../log-levels.ts";
import type { Asker, HubContext } from "../hub.ts";
import type { Answer } from "../provider.ts";
import {
  type DirectCall,
  errorOf,
  hasOtherEnvelope,
  isPlain,
  modernAnswer,
  notificationText,
  readCall,
} from "./direct-call.ts";
import type { EndpointContext } from "./endpoint-context.ts";
import { Exchange } from "./exchange.ts";
import { capabilitiesOf, passedMeta } from "./hub-context.ts";
import { clientError, serverInfo } from "./hub-server.ts";
import { MODERN, type Refusal, RPC } from "./json-rpc.ts";
import type { McpRequest } from "./mcp-request.ts";
import type { ParamHeaders } from "./param-headers.ts";

const ENVELOPE_KEYS: ReadonlySet<string> = new Set([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
]);
/** Envelopes that were found right, and how long one may be to be remembered. */
const MAX_KNOWN = 256;
const MAX_LENGTH = 4096;

/** Takes a call that has an answer already to the long way, which gives it its form. */
export type LongWay = (
  request: McpRequest,
  call: DirectCall,
  exchange: Exchange,
  answer: Promise<Answer<CallToolResult>>,
) => void;

/** The short way of a `tools/call` of the stateless era. */
export class ModernCalls {
  readonly #context: EndpointContext;
  readonly #params: ParamHeaders;
  readonly #longWay: LongWay;
  readonly #info: Readonly<Record<string, unknown>>;
  /** What clients say of themselves is the same in every request: checked once. */
  readonly #known = new Map<string, ClientCapabilities>();
  readonly #running = new Set<AbortController>();

  constructor(context: EndpointContext, params: ParamHeaders, longWay: LongWay) {
    this.#context = context;
    this.#params = params;
    this.#longWay = longWay;
    this.#info = serverInfo(context.version);
  }

  /** Calls that run. */
  get running(): number {
    return this.#running.size;
  }

  /** Serves a request if it is a plain call whose headers say what its body says; else false, and nothing has happened. */
  serve(request: McpRequest, body: unknown): boolean {
    const { headers } = request;
    if (headers["mcp-protocol-version"] !== MODERN || headers["mcp-method"] !== "tools/call") return false;
    const call = readCall(body);
    if (call === undefined || headers["mcp-name"] !== call.name) return false;
    // A name that looks wrapped means what is in the wrapping.
    if (call.name.startsWith("=?") || call.meta[PROTOCOL_VERSION_META_KEY] !== MODERN) return false;
    if (hasOtherEnvelope(call.meta, ENVELOPE_KEYS)) return false;
    const level = call.meta[LOG_LEVEL_META_KEY];
    if (level !== undefined && !isLevel(level)) return false;
    const capabilities = this.#capabilities(call, body, headers);
    if (capabilities === undefined) return false;
    const asker: Asker = { caller: request.caller, channel: "http" };
    const exchange = new Exchange(request, this.#context.pulse);
    const refusal = this.#params.check(
      headers,
      "tools/call",
      { name: call.name, arguments: call.args },
      asker,
    );
    const go = (wrong: Refusal | undefined): void => {
      if (wrong === undefined) this.#call(request, call, asker, capabilities, level, exchange);
      else exchange.refuse({ ...wrong, id: call.id });
    };
    if (refusal instanceof Promise) void refusal.then(go);
    else go(refusal);
    return true;
  }

  close(): void {
    for (const controller of this.#running) controller.abort();
  }

  /** What the client can be asked, from an envelope that is right; undefined for one that is not. */
  #capabilities(
    call: DirectCall,
    body: unknown,
    headers: IncomingHttpHeaders,
  ): ClientCapabilities | undefined {
    const { meta } = call;
    const key = JSON.stringify([meta[CLIENT_CAPABILITIES_META_KEY], meta[CLIENT_INFO_META_KEY]]);
    const known = this.#known.get(key);
    if (known !== undefined || key.length > MAX_LENGTH) return known;
    const route = classifyInboundRequest({
      httpMethod: "POST",
      body,
      protocolVersionHeader: String(headers["mcp-protocol-version"]),
    });
    if (route.kind !== "modern") return undefined;
    const declared = capabilitiesOf(meta);
    if (declared === undefined) return undefined;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(key, declared);
    return declared;
  }

  #call(
    request: McpRequest,
    call: DirectCall,
    asker: Asker,
    capabilities: ClientCapabilities,
    level: LoggingLevel | undefined,
    exchange: Exchange,
  ): void {
    if (exchange.done) return;
    const controller = new AbortController();
    this.#running.add(controller);
    exchange.onGone = () => controller.abort();
    const { hub } = this.#context;
    const context: HubContext = {
      request: request.id,
      signal: controller.signal,
      capabilities,
      ...told(call, level, exchange),
    };
    void this.#answer(
      request,
      call,
      exchange,
      controller,
      hub.callTool(call.name, call.args, asker, context),
    );
  }

  async #answer(
    request: McpRequest,
    call: DirectCall,
    exchange: Exchange,
    controller: AbortController,
    answer: Promise<Answer<CallToolResult>>,
  ): Promise<void> {
    const { id } = call;
    let status = 200;
    let text: string | undefined;
    try {
      const result = await answer;
      if (isPlain(result)) text = modernAnswer(id, result, this.#info);
    } catch (thrown) {
      if (!controller.signal.aborted) {
        const error = errorOf(clientError(thrown, this.#context.log));
        if (error?.code === RPC.missingCapability) status = 400;
        if (error !== undefined) text = JSON.stringify({ jsonrpc: "2.0", id, error });
      }
    } finally {
      this.#running.delete(controller);
    }
    if (exchange.done) return;
    if (controller.signal.aborted) exchange.destroy();
    else if (text === undefined) this.#longWay(request, call, exchange, answer);
    else if (exchange.streaming) {
      exchange.event(text);
      exchange.end();
    } else exchange.json(status, text);
  }
}

/** What a call may tell of on its way, and what of its `_meta` goes on. */
function told(
  { meta, progressToken }: DirectCall,
  level: LoggingLevel | undefined,
  exchange: Exchange,
): Pick<HubContext, "meta" | "logLevel" | "onLog" | "onProgress"> {
  const passed = passedMeta(meta);
  return {
    ...(passed === undefined ? {} : { meta: passed }),
    ...(level === undefined
      ? {}
      : {
          logLevel: level,
          onLog: (params) => exchange.event(notificationText("notifications/message", params)),
        }),
    ...(progressToken === undefined
      ? {}
      : {
          onProgress: (progress) =>
            exchange.event(notificationText("notifications/progress", { ...progress, progressToken })),
        }),
  };
}
