import type { ClientCapabilities, PriorDiscovery, Transport } from "@modelcontextprotocol/client";
import { Client, SdkError, SdkErrorCode } from "@modelcontextprotocol/client";

import { formatDuration, OmniError } from "../../core/index.ts";
import { currentCall } from "./attribution.ts";
import type { AskMethod } from "./call.ts";
import { httpConnection } from "./http-transport.ts";
import { Link } from "./link.ts";
import type { Profile } from "./link.ts";
import { listenTo } from "./link-listeners.ts";
import type { LinkListeners } from "./link-listeners.ts";
import { StdioTransport } from "./stdio-transport.ts";
import type { UpstreamOptions } from "./upstream-options.ts";

/** ms for which a server is taken to be of the legacy era without being asked. */
const VERDICT_TIME = 24 * 3600 * 1000;
/** ms of silence after which a server over stdio is taken to know nothing of `server/discover`. */
const PROBE_TIME = 10_000;

const ASKING: ClientCapabilities = {
  elicitation: { form: {}, url: {} },
  sampling: { context: {}, tools: {} },
};
const ASKED: readonly AskMethod[] = ["elicitation/create", "sampling/createMessage"];

/** What a server may ask the clients of a connection. */
function askable({ roots = false }: UpstreamOptions): {
  readonly capabilities: ClientCapabilities;
  readonly methods: readonly AskMethod[];
} {
  return roots
    ? { capabilities: { ...ASKING, roots: {} }, methods: [...ASKED, "roots/list"] }
    : { capabilities: ASKING, methods: ASKED };
}

/** What is known of a server's era. */
export interface Era {
  /** Until when, in ms of a clock that only grows, it is taken to be of the legacy era. */
  legacyUntil: number;
}

export interface LinkRequest {
  readonly options: UpstreamOptions;
  readonly profile: Profile;
  readonly era: Era;
  readonly listeners: LinkListeners;
  /** Aborts when the server is not wanted any more. */
  readonly closing: AbortSignal;
}

interface Connection {
  readonly transport: Transport;
  readonly end: () => Promise<void>;
  readonly pid: () => number | null;
  /** Why it ended, where the transport knows. */
  readonly reason: () => string | undefined;
}

function connectionTo(options: UpstreamOptions): Connection {
  if (options.kind === "http") {
    return { ...httpConnection(options), pid: () => null, reason: () => undefined };
  }
  const transport = new StdioTransport(options);
  return {
    transport,
    end: () => transport.close(),
    pid: () => transport.pid,
    reason: () => transport.reason,
  };
}

/** Opens a connection and agrees on a protocol version; rejects with what the transport or the SDK says, within `initTimeout`. */
export async function openLink(request: LinkRequest): Promise<Link> {
  const { era } = request;
  const known = era.legacyUntil > performance.now();
  try {
    return await connect(request, known ? { kind: "legacy" } : undefined);
  } catch (error) {
    era.legacyUntil = 0;
    // Servers of old SDKs exit on a request that comes before `initialize`.
    if (known || !(error instanceof ClosedInProbe)) throw error;
    return await connect(request, { kind: "legacy" });
  }
}

/** A child that ended on the first request. */
class ClosedInProbe extends OmniError {}

async function connect(request: LinkRequest, prior: PriorDiscovery | undefined): Promise<Link> {
  const { options, profile, era, listeners, closing } = request;
  const { initTimeout } = options;
  const connection = connectionTo(options);
  const { transport } = connection;
  const legacyOnly = options.kind === "http" && options.transport === "sse";
  const { capabilities, methods } = askable(options);
  const client = new Client(
    { name: "omni", version: options.version },
    {
      capabilities: profile === "asking" ? capabilities : {},
      inputRequired: { autoFulfill: false },
      ...(legacyOnly
        ? {}
        : {
            versionNegotiation: {
              mode: "auto" as const,
              probe: {
                timeoutMs: options.kind === "stdio" ? Math.min(PROBE_TIME, initTimeout / 2) : initTimeout,
              },
            },
          }),
    },
  );
  const late = new AbortController();
  const timer = setTimeout(() => {
    const words = connection.reason();
    late.abort(
      new OmniError(
        "mcp.timeout",
        `it did not finish its start within ${formatDuration(initTimeout)}${words === undefined ? "" : ` (${words})`}`,
      ),
    );
    void connection.end();
  }, initTimeout);
  const close = (): void => late.abort(closing.reason);
  closing.addEventListener("abort", close, { once: true });
  try {
    closing.throwIfAborted();
    const attach = listenTo(client, profile, methods, listeners, connection.reason);
    const connected = currentCall.exit(() =>
      client.connect(transport, {
        timeout: initTimeout,
        signal: late.signal,
        ...(prior === undefined ? {} : { prior }),
      }),
    );
    await Promise.race([connected, rejectionOf(late.signal)]);
    if (client.getProtocolEra() === "legacy") era.legacyUntil = performance.now() + VERDICT_TIME;
    const link = new Link({
      client,
      profile,
      onePipe: options.kind === "stdio" || legacyOnly,
      pid: connection.pid,
      end: connection.end,
      opened: performance.now(),
    });
    attach(link);
    return link;
  } catch (error) {
    await connection.end().catch(() => {});
    if (late.signal.aborted) throw late.signal.reason;
    const reason = connection.reason();
    if (reason === undefined) throw error;
    const closed = error instanceof SdkError && error.code === SdkErrorCode.EraNegotiationFailed;
    const Kind = closed ? ClosedInProbe : OmniError;
    throw new Kind("mcp.unreachable", reason, { cause: error });
  } finally {
    clearTimeout(timer);
    closing.removeEventListener("abort", close);
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
