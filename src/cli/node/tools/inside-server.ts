import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { join } from "node:path";

import type { StreamedCall } from "../../../gateway/call.ts";
import { NodeBody } from "../../../gateway/read-body.ts";
import { serve, Surface } from "../../../gateway/surface.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import { guarded } from "../../../gateway/answering.ts";
import { openSocketFolder } from "../../../runtimes/socket-folder.ts";
import { INSIDE_CALLER, INSIDE_ID, INSIDE_TOKEN, readCaller } from "./inside-head.ts";

/** Where the gateway's workers reach what lives in the node's own process. */
export interface InsideAddress {
  /** Path of a socket, or of a named pipe. */
  readonly socket: string;
  /** Whoever shows it is a worker of this node. */
  readonly token: string;
}

export interface InsideServer {
  readonly address: InsideAddress;
  close(): Promise<void>;
}

/**
 * Serves endpoints to the gateway's workers over a socket of the state folder: they have let the caller in and say who it
 * is, which is believed of nobody who does not show this run's token.
 */
export async function serveInside(
  stateFolder: string,
  endpoints: Readonly<Record<string, Endpoint>>,
): Promise<InsideServer> {
  const token = randomBytes(32).toString("base64url");
  const surface = new Surface(endpoints);
  const server = createServer({ requestTimeout: 0 }, (req, res) => answer(surface, token, req, res));
  const socket = socketPath(stateFolder);
  server.listen(socket);
  await once(server, "listening");
  if (process.platform !== "win32") chmodSync(socket, 0o600);
  return {
    address: { socket, token },
    close: () => end(server),
  };
}

/** A socket of a folder that only this user may enter; those of an earlier run are gone. */
function socketPath(stateFolder: string): string {
  const folder = openSocketFolder(join(stateFolder, "inside"));
  if (folder !== undefined) return join(folder, "mcp.sock");
  // Windows has pipes by name instead, which no two runs share.
  return `\\\\.\\pipe\\omni-mcp-${process.pid}-${randomBytes(6).toString("hex")}`;
}

function answer(surface: Surface, token: string, req: IncomingMessage, res: ServerResponse): void {
  if (!shows(req.headers[INSIDE_TOKEN], token)) {
    res.writeHead(403).end();
    return;
  }
  const caller = readCaller(req.headers[INSIDE_CALLER]);
  const [path = "/", query = ""] = (req.url ?? "/").split("?");
  const id = req.headers[INSIDE_ID];
  const call: StreamedCall = {
    req,
    body: new NodeBody(req),
    res,
    id: typeof id === "string" ? id : "",
    path,
    query: new URLSearchParams(query),
    caller,
    // The worker adds what every answer carries.
    headers: [],
    family: "openai",
    note: {},
  };
  const found = surface.find(path);
  if (found === undefined) surface.notFound(call);
  else if (caller === undefined && !isOpen(found.endpoint)) res.writeHead(403).end();
  else guarded(call, () => serve(found.endpoint, call, found.rest));
}

const isOpen = ({ open, beyondKeys }: Endpoint): boolean => open === true || beyondKeys === true;

function shows(shown: unknown, token: string): boolean {
  const given = Buffer.from(typeof shown === "string" ? shown : "");
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function end(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
