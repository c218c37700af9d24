import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";

import { messageOf, OmniError } from "../core/index.ts";
import { BreakableResponse } from "./breakable-response.ts";
import type { PlainService } from "./http/plain-front.ts";
import { PlainFront } from "./http/plain-front.ts";
import type { GatewayLimits } from "./limits.ts";
import { answerParseError } from "./parse-error.ts";

/** Certificate chain and private key, PEM. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Who answers what comes through node:http. */
export interface HttpService {
  enter(req: IncomingMessage, res: ServerResponse): void;
}

/**
 * The HTTP server with its bounds on slow and large clients; HTTPS where there is a certificate. A service that serves plain
 * requests gets these without node:http. Throws gateway.tls.
 */
export function createHttpServer(
  limits: GatewayLimits,
  tls: TlsFiles | undefined,
  service: HttpService | (HttpService & PlainService),
): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTime,
    requestTimeout: limits.bodyTime,
    keepAliveTimeout: limits.keepAliveTime,
    connectionsCheckingInterval: Math.max(100, Math.min(5_000, limits.headerTime / 2)),
    insecureHTTPParser: false,
    ServerResponse: BreakableResponse,
  };
  const server = tls === undefined ? createServer(options) : secured(options, tls, limits);
  server.timeout = limits.idleTime;
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    res.on("timeout", letGoOfStalled);
    service.enter(req, res);
  });
  // A client that asks before it sends a body is told no before it sends one that is too large.
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
    if (Number(req.headers["content-length"] ?? 0) <= limits.bodyBytes) goOn(res);
    res.on("timeout", letGoOfStalled);
    service.enter(req, res);
  });
  server.on("clientError", answerParseError);
  if ("takes" in service)
    PlainFront.standBefore(server, tls === undefined ? "connection" : "secureConnection", limits, service);
  return server;
}

/** A client that reads nothing of an answer would keep its memory for ever; one whose engine is silent has nothing to read. */
function letGoOfStalled(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}

/**
 * Asks for the body. While an earlier request of the connection is answered node would keep this back and put it behind the
 * head of this very answer, in the middle of its body; so it waits for its turn, and is left out once there is an answer.
 */
function goOn(res: ServerResponse): void {
  if (res.socket !== null) res.writeContinue();
  else {
    res.once("socket", () => {
      if (!res.headersSent) res.writeContinue();
    });
  }
}

/** Takes over other bounds on slow clients, for connections and requests from now on. */
export function boundClients(server: Server, limits: GatewayLimits): void {
  server.headersTimeout = limits.headerTime;
  server.requestTimeout = limits.bodyTime;
  server.keepAliveTimeout = limits.keepAliveTime;
  server.timeout = limits.idleTime;
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
