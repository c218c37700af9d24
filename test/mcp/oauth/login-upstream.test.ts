import { afterEach, beforeEach, expect, test } from "vitest";

import { browse } from "../../fakes/browser.ts";
import { failureOf, UpstreamNode } from "../../fakes/upstream-node.ts";

let node: UpstreamNode;
beforeEach(async () => {
  node = await UpstreamNode.start();
});
afterEach(() => node[Symbol.asyncDispose]());

test("A login goes the whole way: discovery, registration, PKCE, state, issuer, resource", async () => {
  let opened = new URL("http://none/");
  await node.login({
    open: (url) => {
      opened = new URL(url);
      void browse(url);
    },
  });
  const asked = Object.fromEntries(opened.searchParams);
  expect(asked).toMatchObject({
    response_type: "code",
    code_challenge_method: "S256",
    resource: node.server.url,
    scope: "tools offline_access",
    client_id: expect.stringMatching(/^registered-/),
    redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback$/),
    state: expect.stringMatching(/^[\w-]{43}$/),
  });
  expect(node.issuer.tokenRequests).toMatchObject([
    { grant_type: "authorization_code", resource: node.server.url, client_id: asked["client_id"] },
  ]);
  expect(await node.callTool(node.person())).toBe("you are in");
  // The listener is gone.
  await expect(fetch(asked["redirect_uri"] ?? "")).rejects.toThrow("fetch failed");
});

test("A browser with another state is turned away, and the login goes on", async () => {
  let turned: Promise<string> = Promise.resolve("");
  let second: Promise<string> = Promise.resolve("");
  await node.login({
    open: (url) => {
      turned = browse(url, (back) => back.searchParams.set("state", "made-up"));
      second = turned.then(() => browse(url));
    },
  });
  expect(await turned).toBe("400: This is not the login that Omni waits for.");
  expect(await second).toMatch(/^200: Omni has the answer/);
  expect(node.kinds()).toEqual(["authorization_code"]);
});

test.each([
  ["another issuer", "https://evil.example"],
  ["no issuer, though it says that it names it", null],
])("An answer of %s ends the login before its code is used", async (_, iss) => {
  node.issuer.misbehaviour.iss = iss;
  const error = await failureOf(node.login());
  expect(error.code).toBe("mcp.login-failed");
  expect(error.message).toMatch(/names another authorization server/);
  expect(node.issuer.tokenRequests).toEqual([]);
  expect(await node.store.latest("wiki", node.server.url)).toBeUndefined();
});

test("A refusal that does not name its issuer is not taken for the issuer's", async () => {
  node.issuer.misbehaviour.iss = null;
  node.issuer.misbehaviour.authorizationError = "access_denied";
  const error = await failureOf(node.login());
  expect(error.message).toMatch(/names another authorization server/);
  expect(error.message).not.toContain("access_denied");
});

test("A refusal of the person is told by its code, not in the server's words", async () => {
  node.issuer.misbehaviour.authorizationError = "access_denied";
  expect((await failureOf(node.login())).message).toMatch(/was not completed: it answers access_denied\.$/);
  node.issuer.misbehaviour.authorizationError = "Please <b>call</b> evil.example";
  expect((await failureOf(node.login())).message).toMatch(/an error that is no code of OAuth/);
});

test("An issuer without PKCE gets no login, and one that registers nobody needs a client id", async () => {
  node.issuer.misbehaviour.noPkce = true;
  expect((await failureOf(node.login())).message).toMatch(/does not say that it knows PKCE/);
  delete node.issuer.misbehaviour.noPkce;
  node.issuer.misbehaviour.noRegistration = true;
  const error = await failureOf(node.login());
  expect(error.message).toMatch(/registers no clients by itself/);
  expect(error.hint).toContain("tools.wiki.http.oauth.clientId");
  await node.login({ clientId: "desk" });
  expect(node.issuer.tokenRequests).toMatchObject([{ client_id: "desk" }]);
});

test("A login that nobody completes ends with its signal, and leaves no listener", async () => {
  const stop = new AbortController();
  let redirect = "";
  const waiting = node.login({
    signal: stop.signal,
    open: (url) => {
      redirect = new URL(url).searchParams.get("redirect_uri") ?? "";
      stop.abort(new Error("stopped by the person"));
    },
  });
  await expect(waiting).rejects.toThrow("stopped by the person");
  await expect(fetch(redirect)).rejects.toThrow("fetch failed");
});

test("A port that is taken is said", async () => {
  const port = Number(new URL(node.server.url).port);
  const error = await failureOf(node.login({ port }));
  expect(error.message).toMatch(new RegExp(`^Port ${port} of 127\\.0\\.0\\.1 cannot be listened on`));
});
