import type { Server } from "node:http";

import type { Exchange } from "./exchange.ts";

const IDLE_CHECK = 50;
const LAST_WORDS = 250;

/**
 * Stops a server in the order streams, then HTTP: nothing new is accepted, answers in flight may finish for `deadline`
 * milliseconds, what is left is ended as cut, and then every connection is closed.
 */
export async function drain(server: Server, open: ReadonlySet<Exchange>, deadline: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Node ends the connections that are idle now, not those that become idle later.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK);
  const cut = setTimeout(() => {
    for (const exchange of open) exchange.stop();
  }, deadline);
  const destroy = setTimeout(() => server.closeAllConnections(), deadline + LAST_WORDS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
  clearTimeout(destroy);
}
