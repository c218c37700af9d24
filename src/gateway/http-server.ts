import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";

import { messageOf, OmniError } from "../core/index.ts";
import type { GatewayLimits } from "./limits.ts";
import { answerParseError } from "./parse-error.ts";

/** Certificate chain and private key, PEM. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** The HTTP server with its bounds on slow and large clients; HTTPS where there is a certificate. Throws gateway.tls. */
export function createHttpServer(
  limits: GatewayLimits,
  tls: TlsFiles | undefined,
  enter: (req: IncomingMessage, res: ServerResponse) => void,
): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTime,
    requestTimeout: limits.bodyTime,
    keepAliveTimeout: limits.keepAliveTime,
    connectionsCheckingInterval: Math.max(100, Math.min(5_000, limits.headerTime / 2)),
    insecureHTTPParser: false,
  };
  const server = tls === undefined ? createServer(options) : secured(options, tls, limits);
  server.on("request", enter);
  // A client that asks before it sends a body is told no before it sends one that is too large.
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
    if (Number(req.headers["content-length"] ?? 0) <= limits.bodyBytes) res.writeContinue();
    enter(req, res);
  });
  server.on("clientError", answerParseError);
  return server;
}

/** Takes over other bounds on slow clients, for connections and requests from now on. */
export function boundClients(server: Server, limits: GatewayLimits): void {
  server.headersTimeout = limits.headerTime;
  server.requestTimeout = limits.bodyTime;
  server.keepAliveTimeout = limits.keepAliveTime;
}

/** Shows another certificate to clients that connect from now on. Throws gateway.tls when it cannot be used. */
export function renewCertificate(server: Server, { certificate, key }: TlsFiles): void {
  if (!(server instanceof TlsServer)) return;
  try {
    server.setSecureContext({ cert: certificate, key, minVersion: "TLSv1.2" });
  } catch (thrown) {
    throw unusable(thrown);
  }
}

const unusable = (thrown: unknown): OmniError =>
  new OmniError("gateway.tls", `The certificate of gateway.tls cannot be used: ${messageOf(thrown)}.`, {
    cause: thrown,
  });

function secured(options: object, { certificate, key }: TlsFiles, limits: GatewayLimits): Server {
  try {
    const server = createTlsServer({
      ...options,
      cert: certificate,
      key,
      minVersion: "TLSv1.2",
      handshakeTimeout: limits.headerTime,
    });
    // Who speaks plain HTTP to it, or gives up in the middle, is no event of this node.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  } catch (thrown) {
    throw unusable(thrown);
  }
}
