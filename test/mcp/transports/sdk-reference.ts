import {
  createMcpHandler,
  type RequestId,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";

import { createHubServer } from "../../../src/mcp/transports/hub-server.ts";
import type { Hub } from "../../../src/mcp/hub.ts";
import { openKey } from "./open-key.ts";

/** What one HTTP request was answered with. */
export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const type = response.headers.get("content-type");
  const body: unknown = text === "" ? undefined : type === "application/json" ? JSON.parse(text) : text;
  return { status: response.status, type: text === "" ? null : type, body };
}

/** The SDK's server over a hub, as the endpoint makes it. */
function referenceServer(hub: Hub): Server {
  return createHubServer({
    hub,
    version: "1.2.3",
    instructions: "You are local.",
    roundTime: 1000,
    log: () => undefined,
    origins: {
      origin: (_id: RequestId) => ({
        asker: { caller: openKey("local"), channel: "http" },
        request: "r",
      }),
      first: () => undefined,
      logLevel: () => "info",
      capabilities: () => ({}),
    },
  });
}

/** The SDK's own handler of the stateless era. */
export function referenceModern(hub: Hub): (request: Request) => Promise<Answer> {
  const handler = createMcpHandler(() => referenceServer(hub), { legacy: "reject" });
  return async (request) => answerOf(await handler.fetch(request));
}

/** The SDK's own transport of sessions, with its answers as JSON. */
export async function referenceSession(
  hub: Hub,
): Promise<{ ask: (request: Request) => Promise<Answer>; close: () => Promise<void> }> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => "reference",
    enableJsonResponse: true,
  });
  const server = referenceServer(hub);
  await server.connect(transport);
  return {
    ask: async (request) => answerOf(await transport.handleRequest(request)),
    close: () => server.close(),
  };
}
