import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, request as httpRequest } from "node:http";
import type { RequestOptions } from "node:https";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { messageOf } from "../../core/index.ts";
import type { ClusterSession } from "./cluster-session.ts";
import type { Pod } from "./pod.ts";

/** Headers of one connection, and those that the API server would take for its own. */
const NOT_PASSED: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "keep-alive",
  "authorization",
  "upgrade",
]);

/** Speaks HTTP with a client and passes each request to the pod by `pods/proxy` of the API server. */
export class ProxyReach {
  readonly #session: ClusterSession;
  readonly #pod: () => Pod | undefined;
  readonly #server: Server;

  constructor(session: ClusterSession, pod: () => Pod | undefined) {
    this.#session = session;
    this.#pod = pod;
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch((error: unknown) => refuse(response, messageOf(error)));
    });
  }

  carry(socket: Socket): void {
    this.#server.emit("connection", socket);
  }

  close(): void {
    this.#server.closeAllConnections();
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pod = this.#pod();
    if (pod?.port === undefined) throw new Error("no pod runs the engine");
    const { access } = this.#session.client;
    const url = new URL(
      `${access.server}${this.#session.podPath(`${pod.name}:${pod.port}`)}/proxy${request.url ?? "/"}`,
    );
    const options: RequestOptions = {
      method: request.method ?? "GET",
      headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => !NOT_PASSED.has(name))),
    };
    // The credentials are the cluster's; a key of the engine's own would be lost, and Omni gives its engines none.
    await access.authenticate(options);
    const send = url.protocol === "http:" ? httpRequest : httpsRequest;
    const onward = send(url, options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    });
    onward.on("error", (error) => refuse(response, messageOf(error)));
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }
}

function refuse(response: ServerResponse, words: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(502, { "content-type": "text/plain" }).end(words);
}
