import { once } from "node:events";
import type { Server } from "node:http";

import { messageOf, OmniError } from "../core/index.ts";
import { portHolder } from "./port-holder.ts";

/** Binds the server and returns its URL. Throws node.port-busy or node.bad-address. */
export async function bind(server: Server, host: string, port: number): Promise<string> {
  try {
    server.listen({ host, port });
    await once(server, "listening");
  } catch (thrown) {
    throw bindError(thrown, host, port);
  }
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return `http://${urlHost(host)}:${bound}`;
}

/** A host as a URL names it; a wildcard is reached by the loopback. */
function urlHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function bindError(thrown: unknown, host: string, port: number): OmniError {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (code === "EADDRINUSE") {
    const holder = portHolder(port);
    const who = holder === undefined ? "another program" : `process ${holder.pid} (${holder.program})`;
    return new OmniError("node.port-busy", `Port ${port} on ${host} is taken by ${who}.`, { cause: thrown });
  }
  if (code === "EACCES") {
    return new OmniError("node.bad-address", `This user may not bind port ${port} on ${host}.`, {
      hint: "Choose a port from 1024 to 65535 with --port.",
      cause: thrown,
    });
  }
  return new OmniError("node.bad-address", `Cannot listen on ${host}:${port}: ${messageOf(thrown)}.`, {
    cause: thrown,
  });
}
