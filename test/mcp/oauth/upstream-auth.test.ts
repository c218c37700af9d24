import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { createUpstreamAuth } from "../../../src/mcp/oauth/upstream-auth.ts";
import { AuthorizationServer } from "../../fakes/authorization-server.ts";
import { failureOf, SECRET, SECRETS, UpstreamNode } from "../../fakes/upstream-node.ts";

const IN = "you are in";

let node: UpstreamNode;
beforeEach(async () => {
  node = await UpstreamNode.start();
  // The SDK's own orchestration warns with the server's words there; this code must not.
  vi.spyOn(console, "warn").mockImplementation((...said) => {
    throw new Error(`it warned: ${said.join(" ")}`);
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await node[Symbol.asyncDispose]();
});

test("With a secret the node gets a token by itself, for this server, and uses it until it ends", async () => {
  const auth = node.machine();
  expect(await node.callTool(auth)).toBe(IN);
  expect(await node.callTool(auth)).toBe(IN);
  expect(node.issuer.tokenRequests).toEqual([
    {
      grant_type: "client_credentials",
      scope: "tools",
      resource: node.server.url,
      authorization: `Basic ${Buffer.from(`node:${SECRET}`).toString("base64")}`,
    },
  ]);
  node.ahead = 290_000;
  expect(await node.callTool(auth)).toBe(IN);
  expect(node.kinds()).toHaveLength(2);
  expect(node.files()).toHaveLength(1);
  expect(node.files().join("")).not.toMatch(/correct-horse|eyJ/);
});

test("Requests that need a token at once cause one question", async () => {
  await node.callTool(node.machine());
  const auth = node.machine();
  const tokens = await Promise.all(Array.from({ length: 10 }, () => auth.token()));
  expect(new Set(tokens).size).toBe(1);
  expect(node.kinds()).toHaveLength(2);
});

test("A server that moves to another issuer gets no secret sent there before the owner agrees", async () => {
  await node.callTool(node.machine());
  await using other = await AuthorizationServer.start(SECRETS);
  node.server.issuer = other;
  const auth = node.machine();
  const error = await failureOf(node.callTool(auth));
  expect(error.code).toBe("mcp.issuer-changed");
  expect(error.message).toContain(
    `names ${other.issuer} as its authorization server; the client secret belongs to ${node.issuer.issuer}`,
  );
  expect(other.tokenRequests).toEqual([]);
  await node.login({ clientId: "node", clientSecret: SECRET });
  expect(await node.callTool(node.machine())).toBe(IN);
  expect(node.files()).toHaveLength(1);
});

test("A wrong secret is said without the secret, and without what the server said about it", async () => {
  const wrong = await failureOf(node.callTool(node.machine({ clientSecret: "wrong-horse" })));
  expect(wrong.message).toMatch(/gave no token for MCP server "wiki": it answers invalid_client\.$/);
  node.issuer.misbehaviour.echo = true;
  expect((await failureOf(node.callTool(node.machine()))).message).toMatch(/it answers invalid_request\.$/);
  const bare = node.options({ clientSecret: SECRET });
  expect(() => createUpstreamAuth(bare)).toThrow(/has a clientSecret and no clientId/);
});

test("Without a login the node fails and names the command, and opens nothing", async () => {
  const error = await failureOf(node.callTool(node.person()));
  expect([error.code, error.hint]).toEqual(["mcp.login-needed", "./omni mcp login wiki"]);
  expect(node.issuer.seen).toEqual([]);
});

test("A running node sees a login that comes, and one that is taken away", async () => {
  const auth = node.person();
  await failureOf(node.callTool(auth));
  await node.login();
  expect(await node.callTool(auth)).toBe(IN);
  await node.store.forget("wiki", node.issuer.issuer);
  node.ahead = 6000;
  expect((await failureOf(node.callTool(auth))).code).toBe("mcp.login-needed");
});

test("A token is refreshed before it ends, once for all who wait, and the new login is kept", async () => {
  await node.login();
  const before = await node.store.latest("wiki", node.server.url);
  const auth = node.person();
  node.ahead = 280_000;
  const tokens = await Promise.all(Array.from({ length: 10 }, () => auth.token()));
  expect(new Set(tokens).size).toBe(1);
  expect(tokens[0]).not.toBe(before?.tokens?.access);
  expect(node.kinds()).toEqual(["authorization_code", "refresh_token"]);
  expect(node.issuer.tokenRequests[1]).toMatchObject({
    resource: node.server.url,
    refresh_token: before?.tokens?.refresh,
  });
  const after = await node.store.latest("wiki", node.server.url);
  expect(after?.tokens?.access).toBe(tokens[0]);
  expect(after?.tokens?.refresh).not.toBe(before?.tokens?.refresh);
});

test("A token that the server refuses is refreshed once for all requests that left with it", async () => {
  await node.login();
  const auth = node.person();
  expect(await node.callTool(auth)).toBe(IN);
  node.server.revokedBefore = node.server.bearers.length;
  await Promise.all([node.callTool(auth), node.callTool(auth), node.callTool(auth)]);
  expect(node.kinds()).toEqual(["authorization_code", "refresh_token"]);
});

test("A refresh token that was revoked ends the login, and is not shown again", async () => {
  await node.login();
  node.issuer.misbehaviour.revoked = true;
  node.ahead = 280_000;
  const auth = node.person();
  const error = await failureOf(node.callTool(auth));
  expect(error.code).toBe("mcp.login-needed");
  expect(error.message).toMatch(/no longer accepts the one there was/);
  await failureOf(node.callTool(auth));
  expect(node.kinds()).toEqual(["authorization_code", "refresh_token"]);
  expect(await node.store.latest("wiki", node.server.url)).toBeUndefined();
});

test("An issuer that is down costs no login: the old token serves while it is good", async () => {
  await node.login();
  node.issuer.misbehaviour.tokenDown = true;
  const auth = node.person();
  node.ahead = 280_000;
  expect(await node.callTool(auth)).toBe(IN);
  node.ahead = 310_000;
  expect((await failureOf(node.callTool(auth))).code).toBe("mcp.issuer-unreachable");
  delete node.issuer.misbehaviour.tokenDown;
  expect(await node.callTool(auth)).toBe(IN);
});

test("A login that another process renewed is taken rather than refreshed again", async () => {
  await node.login();
  const [one, other] = [node.person(), node.person()];
  node.ahead = 268_000;
  await Promise.all([one.token(), other.token()]);
  // Too soon after the last look for another one, had it not come to its end.
  node.ahead = 271_000;
  const renewed = await one.token();
  // Its own refresh token is used up; showing it again would be taken for theft.
  expect(await other.token()).toBe(renewed);
  expect(node.kinds()).toEqual(["authorization_code", "refresh_token"]);
});

test("The refresh token goes to the issuer that gave it, whatever the server says now", async () => {
  await node.login();
  await using other = await AuthorizationServer.start();
  node.server.issuer = other;
  const auth = node.person();
  await expect(node.callTool(auth)).rejects.toThrow("Server returned 401 after re-authentication");
  expect(other.seen).toEqual([]);
});

test("A server without TLS gets no token", async () => {
  const error = await failureOf(node.person({ url: "http://mcp.example.com/mcp" }).token());
  expect(error.message).toMatch(/without TLS its token could be read on the way/);
});
