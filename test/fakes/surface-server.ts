import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { StreamedCall } from "../../src/gateway/call.ts";
import { NodeBody } from "../../src/gateway/read-body.ts";
import type { Endpoint } from "../../src/gateway/surface.ts";
import { serve, Surface } from "../../src/gateway/surface.ts";
import type { Caller } from "../../src/keys/caller.ts";

/** A caller whose key is its secret; `admin` is one. */
export const callerOf = (key: string): Caller => ({
  key,
  admin: key === "admin",
  upstream: false,
  priority: 5,
});

/** A part of the gateway's surface on a free port, without its door: `Authorization: Bearer NAME` makes the caller NAME. */
export async function serveSurface(
  endpoints: Readonly<Record<string, Endpoint>>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const surface = new Surface(endpoints);
  const server = createServer((req, res) => {
    const call = callOf(req, res);
    const found = surface.find(call.path);
    if (found === undefined) surface.notFound(call);
    else serve(found.endpoint, call, found.rest);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function callOf(req: IncomingMessage, res: ServerResponse): StreamedCall {
  const url = new URL(req.url ?? "/", "http://gateway");
  const key = req.headers.authorization?.replace("Bearer ", "") ?? "local";
  return {
    req,
    body: new NodeBody(req),
    res,
    id: "req_1",
    path: url.pathname,
    query: url.searchParams,
    caller: callerOf(key),
    headers: ["x-request-id", "req_1"],
    family: "openai",
    note: {},
  };
}
