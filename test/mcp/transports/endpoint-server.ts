import { createServer, type Server } from "node:http";

import type { EventLog, NodeEvent } from "../../../src/core/index.ts";
import { openKey } from "./open-key.ts";
import {
  createMcpEndpoint,
  type McpEndpoint,
  type McpEndpointOptions,
} from "../../../src/mcp/transports/mcp-endpoint.ts";
import type { Hub } from "../../../src/mcp/hub.ts";

/** Events that are kept in memory. */
export class EventList implements EventLog {
  readonly events: NodeEvent[] = [];

  record(event: Parameters<EventLog["record"]>[0]): NodeEvent {
    const kept = { ...event, seq: this.events.length + 1, time: 0 };
    this.events.push(kept);
    return kept;
  }

  after = (): readonly NodeEvent[] => this.events;
  latest = (): readonly NodeEvent[] => this.events;
  subscribe = () => () => undefined;
}

/** An endpoint behind a real HTTP server; who asks is what the `x-key` header says. */
export interface EndpointServer {
  readonly url: URL;
  readonly port: number;
  readonly endpoint: McpEndpoint;
  readonly http: Server;
  readonly events: EventList;
  readonly lines: string[];
  close(): Promise<void>;
}

export async function serveEndpoint(
  hub: Hub,
  options: Partial<McpEndpointOptions> = {},
): Promise<EndpointServer> {
  const events = new EventList();
  const lines: string[] = [];
  const endpoint = createMcpEndpoint({
    hub,
    version: "1.2.3",
    sessions: 10_000,
    sessionIdle: 60_000,
    bodyLimit: 1_000_000,
    legacySse: true,
    path: "/mcp",
    events,
    log: (line) => lines.push(line),
    ...options,
  });
  let count = 0;
  const http = createServer((request, out) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
      const key = request.headers["x-key"];
      count += 1;
      const asked = {
        method: request.method ?? "GET",
        headers: request.headers,
        path: pathname,
        query: searchParams,
        caller: openKey(typeof key === "string" ? key : "local"),
        id: `req-${count}`,
        answerHeaders: ["x-request-id", `req-${count}`],
        body: request.method === "POST" ? Buffer.concat(chunks) : undefined,
        out,
      };
      if (pathname === "/sse") endpoint.sse(asked);
      else if (pathname === "/messages") endpoint.sseMessage(asked);
      else endpoint.handle(asked);
    });
  });
  await new Promise<void>((resolve) => void http.listen(0, "127.0.0.1", resolve));
  const address = http.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const { port } = address;
  return {
    url: new URL(`http://127.0.0.1:${port}/mcp`),
    port,
    endpoint,
    http,
    events,
    lines,
    async close() {
      await endpoint.close();
      http.closeAllConnections();
      await new Promise((resolve) => void http.close(resolve));
    },
  };
}
