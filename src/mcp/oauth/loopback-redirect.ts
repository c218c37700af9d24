import { timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";

import { OmniError, messageOf } from "../../core/index.ts";

/** Where a browser comes back to after a login (RFC 8252, 7.3). */
export interface LoopbackRedirect {
  /** `http://127.0.0.1:PORT/callback`. */
  readonly url: string;
  /** The query with which a browser came back with the right state. Rejects when `signal` aborts, with its reason. */
  arrival(state: string, signal: AbortSignal): Promise<URLSearchParams>;
  close(): Promise<void>;
}

const PATH = "/callback";
/** Milliseconds for an answer to reach the browser when listening ends. */
const LAST_WORDS = 300;

/** Listens on 127.0.0.1; `port` 0 takes a free one. Throws `OmniError` `mcp.login-failed` when the port is taken. */
export async function openLoopbackRedirect(port: number): Promise<LoopbackRedirect> {
  let arrived: ((query: URLSearchParams) => boolean) | undefined;
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? "/", "http://127.0.0.1");
    if (req.method !== "GET" || pathname !== PATH) answer(res, 404, "Nothing is here.");
    else if (arrived?.(searchParams) === true)
      answer(res, 200, "Omni has the answer. Look at the terminal; this page can be closed.");
    else answer(res, 400, "This is not the login that Omni waits for.");
  });
  await listen(server, port);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no port");
  return {
    url: `http://127.0.0.1:${address.port}${PATH}`,
    arrival: (state, signal) =>
      new Promise((resolve, reject) => {
        const abort = (): void => {
          reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
        };
        if (signal.aborted) abort();
        signal.addEventListener("abort", abort, { once: true });
        arrived = (query) => {
          // Anything on this machine can send a browser here; only the login that was begun knows the state.
          if (!isSame(query.get("state"), state)) return false;
          arrived = undefined;
          signal.removeEventListener("abort", abort);
          resolve(query);
          return true;
        };
      }),
    close: () =>
      new Promise((resolve) => {
        // A browser may hold a connection on which it never asked for anything.
        const cut = setTimeout(() => server.closeAllConnections(), LAST_WORDS);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new OmniError(
          "mcp.login-failed",
          `Port ${port} of 127.0.0.1 cannot be listened on: ${messageOf(error)}.`,
          {
            hint: "Choose another port, or leave it out.",
          },
        ),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });

function answer(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    connection: "close",
  });
  res.end(`${text}\n`);
}

function isSame(given: string | null, state: string): boolean {
  const one = Buffer.from(given ?? "");
  const other = Buffer.from(state);
  return one.length === other.length && timingSafeEqual(one, other);
}
