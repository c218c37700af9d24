import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { StreamedCall } from "../../src/gateway/call.ts";
import { NodeBody } from "../../src/gateway/read-body.ts";
import type { Endpoint } from "../../src/gateway/surface.ts";
import { serve, Surface } from "../../src/gateway/surface.ts";
import type { Caller } from "../../src/keys/caller.ts";

export const CALLER: Caller = { key: "local", admin: true, upstream: true, priority: 5 };

export interface EndpointServer extends AsyncDisposable {
  readonly url: string;
}

/** Some endpoints of the gateway behind a real HTTP server; `Authorization: Bearer NAME` says which caller asks. */
export async function startEndpoints(
  endpoints: Readonly<Record<string, Endpoint>>,
  callers: readonly Caller[] = [],
): Promise<EndpointServer> {
  const surface = new Surface(endpoints);
  const server = createServer((req, res) => {
    const [path = "/", query = ""] = (req.url ?? "/").split("?");
    const key = req.headers.authorization?.replace(/^Bearer /, "");
    const caller = callers.find((known) => known.key === key) ?? CALLER;
    const call: StreamedCall = {
      req,
      body: new NodeBody(req),
      res,
      id: "req_test",
      path,
      query: new URLSearchParams(query),
      caller,
      headers: ["x-request-id", "req_test"],
      family: "openai",
      note: {},
    };
    const found = surface.find(path);
    if (found === undefined) surface.notFound(call);
    else serve(found.endpoint, call, found.rest);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = isPort(address) ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

const isPort = (address: AddressInfo | string | null): address is AddressInfo =>
  typeof address === "object" && address !== null;

/** The JSON body of a request, read whole. */
export async function jsonOf(call: StreamedCall): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of call.req) chunks.push(Buffer.from(chunk));
  return JSON.parse(Buffer.concat(chunks).toString());
}
