import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { AuthorizationServer } from "../fakes/authorization-server.ts";
import { mcpClient, startMcpNode } from "./mcp-node.ts";
import { temporaryFolder } from "./run-node.ts";

let folder = temporaryFolder();
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const AUDIENCE = "https://ai.example.com/mcp";

describe.each([1, 2])(
  "access tokens at a node with %d gateway process(es)",
  { timeout: 120_000 },
  (workers) => {
    it("are let in to MCP and nowhere else, with the rights of the key that their scope names", async () => {
      await using issuer = await AuthorizationServer.start();
      writeFileSync(join(folder.path, "reader"), "secret-of-the-reader\n");
      const node = await startMcpNode(
        folder.path,
        `gateway:
  workers: ${workers}
  mcp: { oauth: { issuer: "${issuer.issuer}", audience: "${AUDIENCE}", scopes: { "mcp:tools": reader } } }
keys: { reader: { file: ./reader, tools: ["node__list_*"] } }
tools: { node: { node: {} } }
`,
      );
      try {
        const initialize = (bearer?: string): Promise<Response> =>
          fetch(`${node.url}/mcp`, {
            method: "POST",
            headers: {
              "content-type": "application/json",
              accept: "application/json, text/event-stream",
              ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
            },
            body: JSON.stringify({
              jsonrpc: "2.0",
              id: 1,
              method: "initialize",
              params: {
                protocolVersion: "2025-11-25",
                capabilities: {},
                clientInfo: { name: "t", version: "1" },
              },
            }),
          });
        const challenged = await initialize();
        expect(challenged.status).toBe(401);
        const where =
          /resource_metadata="([^"]+)"/.exec(challenged.headers.get("www-authenticate") ?? "")?.[1] ?? "";
        expect(where).toContain("/.well-known/oauth-protected-resource/mcp");
        const metadata = await fetch(`${node.url}${new URL(where).pathname}`);
        expect(await metadata.json()).toMatchObject({ authorization_servers: [issuer.issuer] });

        const good = await issuer.token({ aud: AUDIENCE, scope: "openid mcp:tools" });
        const client = await mcpClient(node, { key: good });
        expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["node__list_models"]);
        await client.close();
        expect(
          (await initialize(await issuer.token({ aud: "https://else", scope: "mcp:tools" }))).status,
        ).toBe(401);
        expect((await initialize(await issuer.token({ aud: AUDIENCE, scope: "openid" }))).status).toBe(403);

        // A session is its subject's, whatever the rights of another one.
        const session = (await initialize(good)).headers.get("mcp-session-id") ?? "";
        const other = await issuer.token({ aud: AUDIENCE, scope: "mcp:tools", sub: "eve" });
        const ping = (bearer: string): Promise<Response> =>
          fetch(`${node.url}/mcp`, {
            method: "POST",
            headers: {
              "content-type": "application/json",
              accept: "application/json, text/event-stream",
              "mcp-session-id": session,
              authorization: `Bearer ${bearer}`,
            },
            body: JSON.stringify({ jsonrpc: "2.0", id: 2, method: "ping" }),
          });
        expect((await ping(good)).status).toBe(200);
        expect((await ping(other)).status).toBe(404);

        const models = await fetch(`${node.url}/v1/models`, { headers: { authorization: `Bearer ${good}` } });
        expect(models.status).toBe(401);
        const withKey = await mcpClient(node, { key: "secret-of-the-reader", era: "legacy" });
        expect((await withKey.listTools()).tools).toHaveLength(1);
        await withKey.close();
      } finally {
        await node.interrupt();
      }
      const told = node.stdout() + node.stderr();
      expect(told).not.toContain("eyJ");
      // A worker lets the request through to where tokens are looked at, and hears of the answer alone.
      expect(told).toMatch(
        workers === 1 ? /POST \/mcp 200 .* key=reader:ada / : /POST \/mcp 200 .* key=none /,
      );
    });
  },
);
