import {
  isInputRequiredResult,
  ProtocolError,
  Server,
  SERVER_INFO_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
  type ReadResourceResult,
  type ServerContext,
  type ServerOptions,
  type Tool,
} from "@modelcontextprotocol/server";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/server/validators/ajv";

import { OmniError } from "../../core/index.ts";
import type { Hub } from "../hub.ts";
import { hubContext, type Origins } from "./hub-context.ts";
import { MODERN, RPC } from "./json-rpc.ts";

export interface HubServerOptions {
  readonly hub: Hub;
  /** Of Omni, for `serverInfo`. */
  readonly version: string;
  readonly instructions: string;
  readonly origins: Origins;
  /** How long a client may take for one question of a server, in milliseconds; for clients with sessions. */
  readonly roundTime: number;
  readonly log: (line: string) => void;
  /** The schema of a tool's result as this client was told of it; older clients only take objects. */
  readonly outputSchema?: (tool: string) => Tool["outputSchema"];
}

/** Rounds of questions within one call: a tool that asks more is in a loop. */
const MAX_ROUNDS = 32;
/** How long a client of the stateless era may keep lists, in milliseconds: changes are told, but not to everyone. */
const LIST_TTL_MS = 10_000;

/** Schemas of answers to questions are checked by one validator for all connections: each own would cost a megabyte. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
} as const;

const privately = (ttlMs: number): { ttlMs: number; cacheScope: "private" } => ({
  ttlMs,
  cacheScope: "private",
});

const CACHE_HINTS: NonNullable<ServerOptions["cacheHints"]> = {
  "tools/list": privately(LIST_TTL_MS),
  "resources/list": privately(LIST_TTL_MS),
  "resources/templates/list": privately(LIST_TTL_MS),
  "prompts/list": privately(LIST_TTL_MS),
  "server/discover": privately(LIST_TTL_MS),
  "resources/read": privately(0),
};

export const serverInfo = (version: string): { readonly name: string; readonly version: string } => ({
  name: "omni",
  version,
});

/** What a client is told of a failure: the protocol's own errors as they are, Omni's with what to do, nothing of others. */
export function clientError(thrown: unknown, log: (line: string) => void): ProtocolError {
  if (thrown instanceof ProtocolError) return thrown;
  if (thrown instanceof OmniError) return new ProtocolError(RPC.internal, `${thrown.message} ${thrown.hint}`);
  log(
    `MCP: a request failed: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
  );
  return new ProtocolError(RPC.internal, "Internal error");
}

/** A result without the name of the server behind: clients are told who answers them, and that is Omni. */
export function withoutForeignInfo<T extends { readonly _meta?: Record<string, unknown> | undefined }>(
  result: T,
): T {
  const { _meta: meta } = result;
  if (meta === undefined || !(SERVER_INFO_META_KEY in meta)) return result;
  const { [SERVER_INFO_META_KEY]: _info, ...rest } = meta;
  return { ...result, _meta: rest };
}

/** A result without what older clients do not know. */
function withoutHints(result: ReadResourceResult): ReadResourceResult {
  if (!("ttlMs" in result) && !("cacheScope" in result)) return result;
  const { ttlMs: _ttl, cacheScope: _scope, ...rest } = result;
  return rest;
}

/** Lists are given whole, so that there is no second page. */
function onePage(cursor: string | undefined): void {
  if (cursor !== undefined) {
    throw new ProtocolError(
      RPC.invalidParams,
      `Invalid cursor: ${cursor.slice(0, 40)}. Lists have one page.`,
    );
  }
}

/**
 * A server of the SDK over the hub, for one connection or one request. `advertised` is told of each list of tools, as it went to
 * the client. The era is its transport's.
 */
export function createHubServer(
  options: HubServerOptions,
  advertised?: (tools: readonly Tool[]) => void,
): Server {
  const { version } = options;
  const server = new Server(serverInfo(version), {
    capabilities: CAPABILITIES,
    supportedProtocolVersions: [...SUPPORTED_PROTOCOL_VERSIONS, MODERN],
    inputRequired: { maxRounds: MAX_ROUNDS, roundTimeoutMs: options.roundTime },
    cacheHints: CACHE_HINTS,
    jsonSchemaValidator,
    ...(options.instructions === "" ? {} : { instructions: options.instructions }),
  });
  handleLists(server, options, advertised);
  handleCalls(server, options);
  return server;
}

/** Waits for the hub, and makes of what it throws what clients are told. */
async function guard<T>(answer: Promise<T>, log: (line: string) => void): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    throw clientError(thrown, log);
  }
}

function handleLists(
  server: Server,
  { hub, origins, log }: HubServerOptions,
  advertised?: (tools: readonly Tool[]) => void,
): void {
  const asker = (ctx: ServerContext) => origins.origin(ctx.mcpReq.id).asker;
  server.setRequestHandler("tools/list", async ({ params }, ctx) => {
    onePage(params?.cursor);
    const tools = await guard(hub.tools(asker(ctx), ctx.mcpReq.signal), log);
    advertised?.(tools);
    return { tools: [...tools] };
  });
  server.setRequestHandler("resources/list", async ({ params }, ctx) => {
    onePage(params?.cursor);
    return { resources: [...(await guard(hub.resources(asker(ctx), ctx.mcpReq.signal), log))] };
  });
  server.setRequestHandler("resources/templates/list", async ({ params }, ctx) => {
    onePage(params?.cursor);
    return { resourceTemplates: [...(await guard(hub.templates(asker(ctx), ctx.mcpReq.signal), log))] };
  });
  server.setRequestHandler("prompts/list", async ({ params }, ctx) => {
    onePage(params?.cursor);
    return { prompts: [...(await guard(hub.prompts(asker(ctx), ctx.mcpReq.signal), log))] };
  });
}

function handleCalls(server: Server, options: HubServerOptions): void {
  const { hub, origins, log } = options;
  const asker = (ctx: ServerContext) => origins.origin(ctx.mcpReq.id).asker;
  server.setRequestHandler("prompts/get", ({ params }, ctx) =>
    guard(hub.getPrompt(params.name, params.arguments ?? {}, asker(ctx), hubContext(ctx, origins)), log),
  );
  server.setRequestHandler("completion/complete", ({ params }, ctx) =>
    guard(hub.complete(params, asker(ctx), hubContext(ctx, origins)), log),
  );
  server.setRequestHandler("resources/read", async ({ params }, ctx) => {
    const answer = await guard(hub.readResource(params.uri, asker(ctx), hubContext(ctx, origins)), log);
    if (isInputRequiredResult(answer)) return answer;
    // What one key may read is not for a cache that others share, whatever the server behind says.
    return withoutForeignInfo(
      ctx.mcpReq.envelope === undefined
        ? withoutHints(answer)
        : { ...answer, cacheScope: "private" as const },
    );
  });
  server.setRequestHandler("tools/call", async ({ params }, ctx) => {
    // A call that asks its client is made again with what the client said.
    const answer = await guard(
      origins.first(ctx.mcpReq.id) ??
        hub.callTool(params.name, params.arguments ?? {}, asker(ctx), hubContext(ctx, origins)),
      log,
    );
    if (isInputRequiredResult(answer)) return answer;
    return withoutForeignInfo(server.projectCallToolResult(answer, options.outputSchema?.(params.name)));
  });
}
