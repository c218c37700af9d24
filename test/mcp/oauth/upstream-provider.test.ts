import { inspect } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { failureOf, UpstreamNode } from "../../fakes/upstream-node.ts";
import { contextOf, httpUpstream, textOf } from "../upstream/under-test.ts";
import type { UnderTest } from "../upstream/under-test.ts";

let node: UpstreamNode;
const open: UnderTest[] = [];
beforeEach(async () => {
  node = await UpstreamNode.start();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ provider }) => provider.close()));
  await node[Symbol.asyncDispose]();
});

const upstream = (authProvider: ReturnType<UpstreamNode["person"]>): UnderTest => {
  const made = httpUpstream(node.server.url, { name: "wiki", authProvider });
  open.push(made);
  return made;
};

/** Everything that an owner or a log could see of it. */
const shownOf = ({ provider, events }: UnderTest): string =>
  inspect([provider.view(), events.events], { depth: 20 });

test("A server that wants the node's own token is used through the gateway as any other", async () => {
  const made = upstream(node.machine());
  expect(textOf(await made.provider.callTool("whoami", {}, contextOf()))).toBe("you are in");
  expect((await made.provider.tools(AbortSignal.timeout(5000))).map(({ name }) => name)).toEqual(["whoami"]);
  expect(made.provider.view().state).toBe("ready");
  expect(shownOf(made)).not.toMatch(/eyJ|correct-horse/);
});

test("Without a login it fails by that name, says the command, and works once somebody has logged in", async () => {
  const made = upstream(node.person());
  const error = await failureOf(made.provider.callTool("whoami", {}, contextOf()));
  expect(error.code).toBe("mcp.login-needed");
  expect(made.provider.view()).toMatchObject({
    state: "failed",
    reason: expect.stringContaining(
      'MCP server "wiki" needs a login: nobody has logged in yet; run ./omni mcp login wiki',
    ),
  });
  await node.login();
  made.provider.retry();
  expect(textOf(await made.provider.callTool("whoami", {}, contextOf()))).toBe("you are in");
  expect(shownOf(made)).not.toMatch(/eyJ|refresh-/);
});

test("A login that is revoked while the node runs ends no connection, and is told as what it is", async () => {
  await node.login();
  const made = upstream(node.person());
  await made.provider.callTool("whoami", {}, contextOf());
  node.issuer.misbehaviour.revoked = true;
  node.ahead = 280_000;
  const error = await failureOf(made.provider.callTool("whoami", {}, contextOf()));
  expect(error.code).toBe("mcp.login-needed");
  expect(error.message).not.toContain("whether the request was carried out");
  expect(made.provider.view().state).toBe("ready");
  delete node.issuer.misbehaviour.revoked;
  await node.login();
  expect(textOf(await made.provider.callTool("whoami", {}, contextOf()))).toBe("you are in");
  expect(shownOf(made)).not.toMatch(/eyJ|refresh-/);
});

test("The bearer that a client shows to the gateway never reaches the server", async () => {
  const made = upstream(node.machine());
  const caller = { key: "family:ada", subject: "ada", admin: false, upstream: false, priority: 5 };
  await made.provider.callTool("whoami", {}, contextOf({ caller, meta: {} }));
  const given = node.server.bearers.filter((bearer) => bearer !== "");
  expect(given.length).toBeGreaterThan(0);
  for (const bearer of given) {
    const claims: unknown = JSON.parse(Buffer.from(bearer.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ sub: "node", aud: node.server.url });
  }
});
