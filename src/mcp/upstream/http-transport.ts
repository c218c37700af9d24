import type { Transport } from "@modelcontextprotocol/client";
import { SSEClientTransport } from "@modelcontextprotocol/client";
import { Agent } from "undici";

import { boundedFetch } from "./bounded-fetch.ts";
import { DirectTransport } from "./direct-transport.ts";
import type { HttpUpstream } from "./upstream-options.ts";

/** ms for the TCP and TLS handshakes. */
const CONNECT_TIME = 10_000;

export interface HttpConnection {
  readonly transport: Transport;
  /** Ends the session where there is one, and every socket. */
  end(): Promise<void>;
}

/** A connection to an MCP server over HTTP. Redirects that leave its origin are not followed, so that headers stay there. */
export function httpConnection(options: HttpUpstream): HttpConnection {
  const agent = new Agent({
    // How long a call may take is counted elsewhere, in one place.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_TIME },
  });
  const settings = {
    requestInit: { headers: { ...options.headers } },
    fetch: boundedFetch(agent, options.maxMessage),
    ...(options.authProvider === undefined ? {} : { authProvider: options.authProvider }),
  };
  const url = new URL(options.url);
  if (options.transport === "sse") {
    return { transport: new SSEClientTransport(url, settings), end: () => agent.destroy() };
  }
  const transport = new DirectTransport(url, {
    ...settings,
    agent,
    ownHeaders: options.headers,
    most: options.maxMessage,
  });
  const end = async (): Promise<void> => {
    // A server that no longer answers keeps its session; it will forget it by itself.
    const over = setTimeout(() => void agent.destroy(), 1000);
    await transport.terminateSession().catch(() => {});
    clearTimeout(over);
    await transport.close();
    await agent.destroy();
  };
  return { transport, end };
}
