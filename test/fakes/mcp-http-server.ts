import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { once } from "node:events";

import { FakeMcp, membersOf } from "./mcp-server.ts";
import type { FakeMcpSettings } from "./mcp-server.ts";

export interface FakeHttpSettings extends FakeMcpSettings {
  /** Answers as one JSON document instead of an event stream. */
  readonly json?: boolean;
  readonly port?: number;
  /** The older transport with two endpoints. */
  readonly sse?: boolean;
  /** Sends everybody elsewhere. */
  readonly redirect?: string;
  /** Refuses everybody with this status and text. */
  readonly refuse?: { readonly status: number; readonly text: string };
}

/** A fake MCP server over HTTP on loopback; all sessions share one state. */
export class FakeMcpHttp {
  readonly mcp: FakeMcp;
  readonly url: string;
  readonly headers: IncomingMessage["headers"][] = [];
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #settings: FakeHttpSettings;
  #sessions = new Set<string>();
  readonly #open = new Set<ServerResponse>();
  #count = 0;

  static async start(settings: FakeHttpSettings = {}): Promise<FakeMcpHttp> {
    const server = createServer();
    server.listen(settings.port ?? 0, "127.0.0.1");
    await once(server, "listening");
    return new FakeMcpHttp(settings, server);
  }

  private constructor(settings: FakeHttpSettings, server: Server) {
    this.#settings = settings;
    this.#server = server;
    this.mcp = new FakeMcp(settings);
    this.mcp.onDie = () => server.closeAllConnections();
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.url = `http://127.0.0.1:${address.port}/mcp`;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
  }

  /** Sessions begun. */
  get sessions(): number {
    return this.#count;
  }

  /** Requests that have no whole answer: streams that listen, and calls. */
  get running(): number {
    return this.#open.size;
  }

  openSockets(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  expireSessions(): void {
    this.#sessions = new Set();
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.headers.push(request.headers);
    this.#open.add(response);
    response.once("close", () => this.#open.delete(response));
    const { redirect, refuse, sse } = this.#settings;
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if (redirect !== undefined) {
      response.writeHead(307, { location: redirect }).end();
    } else if (refuse !== undefined) {
      response.writeHead(refuse.status, { "content-type": "text/plain" }).end(refuse.text);
    } else if (sse === true) this.#sse(request, response, body);
    else if (request.method !== "POST") this.#other(request, response);
    else await this.#post(request, response, membersOf(JSON.parse(body)));
  }

  #other(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.method ?? "");
    if (request.method === "DELETE") {
      this.#sessions.delete(String(request.headers["mcp-session-id"]));
      response.writeHead(200).end();
      return;
    }
    if (this.#settings.era === "modern") {
      response.writeHead(405).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" }).write(":\n\n");
    this.mcp.broadcast = (message) => void response.write(`data: ${JSON.stringify(message)}\n\n`);
  }

  #sse(request: IncomingMessage, response: ServerResponse, body: string): void {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: endpoint\ndata: /messages\n\n");
      this.mcp.broadcast = (message) => void response.write(`data: ${JSON.stringify(message)}\n\n`);
      return;
    }
    response.writeHead(202).end();
    void this.mcp.handle(membersOf(JSON.parse(body)), (message) => this.mcp.broadcast(message));
  }

  async #post(
    request: IncomingMessage,
    response: ServerResponse,
    message: Record<string, unknown>,
  ): Promise<void> {
    const { method, id } = message;
    this.requests.push(typeof method === "string" ? method : "answer");
    const modern = this.#settings.era === "modern";
    const session = request.headers["mcp-session-id"];
    if (
      !modern &&
      method !== "initialize" &&
      method !== "server/discover" &&
      !this.#sessions.has(String(session))
    ) {
      const error = { code: -32_001, message: "Session not found" };
      response.writeHead(404, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error }));
      return;
    }
    if (id === undefined || method === undefined) {
      response.writeHead(202).end();
      await this.mcp.handle(message, () => {});
      return;
    }
    if (method === "initialize") {
      this.#count += 1;
      const name = `session-${this.#count}`;
      this.#sessions.add(name);
      response.setHeader("mcp-session-id", name);
    }
    await this.#stream(response, message);
  }

  async #stream(response: ServerResponse, message: Record<string, unknown>): Promise<void> {
    if (this.#settings.json === true && message["method"] !== "subscriptions/listen") {
      await this.mcp.handle(message, (answer) => {
        if (!("id" in answer)) return;
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    await this.mcp.handle(message, (part) => void response.write(`data: ${JSON.stringify(part)}\n\n`));
    if (message["method"] !== "subscriptions/listen") response.end();
  }
}
