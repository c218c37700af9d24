import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

import { createMcpHandler, Server } from "@modelcontextprotocol/server";
import { createLocalJWKSet, jwtVerify } from "jose";

import { sendResponse, webRequest } from "../mcp/fixture/web-exchange.ts";
import type { AuthorizationServer } from "./authorization-server.ts";

/** An MCP server of the SDK that serves the bearers of one issuer's tokens, and says in its refusal who issues them. */
export class ProtectedMcpServer implements AsyncDisposable {
  /** Bearer of every request that it saw on its own path; "" for none. */
  readonly bearers: string[] = [];
  /** Whose tokens it takes; it may move to another issuer. */
  issuer: AuthorizationServer;
  /** Refuses every token that it has seen until now. */
  revokedBefore = 0;
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #handler = createMcpHandler(buildServer);

  private constructor(issuer: AuthorizationServer, server: ReturnType<typeof createServer>) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    this.issuer = issuer;
    this.#server = server;
    this.url = `http://127.0.0.1:${address.port}/mcp`;
  }

  static async start(issuer: AuthorizationServer): Promise<ProtectedMcpServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const self = new ProtectedMcpServer(issuer, server);
    server.on("request", (req, res) => void self.#serve(req, res));
    return self;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handler.close();
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { origin } = new URL(this.url);
    if (req.url === "/.well-known/oauth-protected-resource/mcp") {
      const document = {
        resource: this.url,
        authorization_servers: [this.issuer.issuer],
        scopes_supported: ["tools"],
      };
      res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
      return;
    }
    if (req.url !== "/mcp") {
      res.writeHead(404).end();
      return;
    }
    const bearer = req.headers.authorization?.replace(/^Bearer /, "") ?? "";
    this.bearers.push(bearer);
    if (!(await this.#isGood(bearer))) {
      const where = `${origin}/.well-known/oauth-protected-resource/mcp`;
      res
        .writeHead(401, { "www-authenticate": `Bearer resource_metadata="${where}", scope="tools"` })
        .end(JSON.stringify({ error: "invalid_token" }));
      return;
    }
    await sendResponse(await this.#handler.fetch(await webRequest(req, res)), res);
  }

  async #isGood(bearer: string): Promise<boolean> {
    if (bearer === "" || this.bearers.slice(0, this.revokedBefore).includes(bearer)) return false;
    const { keys } = this.issuer.ring.published();
    return await jwtVerify(bearer, createLocalJWKSet({ keys: [...keys] }), {
      issuer: this.issuer.issuer,
      audience: this.url,
    }).then(
      () => true,
      () => false,
    );
  }
}

function buildServer(): Server {
  const server = new Server({ name: "protected", version: "1.0.0" }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", () => ({
    tools: [{ name: "whoami", inputSchema: { type: "object" as const } }],
  }));
  server.setRequestHandler("tools/call", () => ({
    content: [{ type: "text" as const, text: "you are in" }],
  }));
  return server;
}
