import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  isSpecType,
  LOG_LEVEL_META_KEY,
  specTypeSchemas,
  type ClientCapabilities,
  type LoggingLevel,
  type RequestId,
  type ServerContext,
} from "@modelcontextprotocol/server";

import type { Asker, HubContext } from "../hub.ts";
import type { Answer } from "../provider.ts";
import type { Members } from "./json-rpc.ts";

/** Names in `_meta` that belong to the protocol between this client and this server, and go no further. */
export const ENVELOPE = "io.modelcontextprotocol/";

/** Whose request it is, and its id for audit and logs. */
export interface Origin {
  readonly asker: Asker;
  readonly request: string;
}

/** What a transport knows of the requests that a server handles. */
export interface Origins {
  origin(id: RequestId): Origin;
  /** The least severe messages that the client of this connection wants; a modern request names its own. */
  logLevel(): LoggingLevel | undefined;
  /** The answer of the hub to a call, where there is one already. */
  first(id: RequestId): Promise<Answer<CallToolResult>> | undefined;
  /** What the client of this connection can be asked; a modern request names its own. */
  capabilities(): ClientCapabilities | undefined;
}

/** The members of `_meta` that go on to the server: trace context and what is nobody's here. Undefined when there are none. */
export function passedMeta(
  meta: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (meta === undefined) return undefined;
  const passed = Object.entries(meta).filter(
    ([name]) => name !== "progressToken" && !name.startsWith(ENVELOPE),
  );
  return passed.length === 0 ? undefined : Object.fromEntries(passed);
}

/** What the client of a request says that it can be asked; the envelope was checked before. */
export function capabilitiesOf(envelope: Members): ClientCapabilities | undefined {
  const checked = specTypeSchemas.ClientCapabilities["~standard"].validate(
    envelope[CLIENT_CAPABILITIES_META_KEY],
  );
  return checked.issues === undefined ? checked.value : undefined;
}

/** The least severe messages that a request wants. */
function levelOf(envelope: Members): LoggingLevel | undefined {
  const level = envelope[LOG_LEVEL_META_KEY];
  return isSpecType.LoggingLevel(level) ? level : undefined;
}

/** What of a request goes to the hub beside its own parameters. Notifications of a request that is over are dropped. */
export function hubContext(ctx: ServerContext, origins: Origins): HubContext {
  const { mcpReq } = ctx;
  const meta = passedMeta(mcpReq._meta);
  const token = mcpReq._meta?.progressToken;
  const level = mcpReq.envelope === undefined ? origins.logLevel() : levelOf(mcpReq.envelope);
  const declared = mcpReq.envelope === undefined ? origins.capabilities() : capabilitiesOf(mcpReq.envelope);
  const state = mcpReq.requestState<string>();
  const notify: ServerContext["mcpReq"]["notify"] = async (notification) => {
    if (mcpReq.signal.aborted) return;
    try {
      await mcpReq.notify(notification);
    } catch {
      // The client is gone; the request's signal says so too.
    }
  };
  return {
    request: origins.origin(mcpReq.id).request,
    signal: mcpReq.signal,
    capabilities: declared ?? {},
    ...(mcpReq.inputResponses === undefined ? {} : { inputResponses: mcpReq.inputResponses }),
    ...(state === undefined ? {} : { requestState: state }),
    ...(level === undefined ? {} : { logLevel: level }),
    ...(level === undefined
      ? {}
      : {
          onLog: (params) => {
            void notify({ method: "notifications/message", params });
          },
        }),
    ...(token === undefined
      ? {}
      : {
          onProgress: (progress) => {
            void notify({
              method: "notifications/progress",
              params: { ...progress, progressToken: token },
            });
          },
        }),
    ...(meta === undefined ? {} : { meta }),
  };
}
