import { createHmac } from "node:crypto";

import { afterEach, beforeEach, expect, test } from "vitest";

import { looksLikeToken } from "../../../src/mcp/oauth/token-claims.ts";
import { callerOf, FAMILY, GatedIssuer, refusalOf, RESOURCE } from "../../fakes/gated-issuer.ts";

let world: GatedIssuer;
beforeEach(async () => {
  world = await GatedIssuer.start();
});
afterEach(() => world[Symbol.asyncDispose]());

const seconds = (): number => Math.floor(Date.now() / 1000);

test("A good token has the rights of its scope's key under a name of its own", async () => {
  const caller = await callerOf(world.gate(), await world.token());
  expect(caller).toEqual({ ...FAMILY, key: "family:ada", subject: "ada" });
});

test("Two bearers with the rights of one key are two callers", async () => {
  const gate = world.gate();
  const ada = await callerOf(gate, await world.token());
  const bob = await callerOf(gate, await world.token({ sub: "bob" }));
  expect([ada.key, bob.key]).toEqual(["family:ada", "family:bob"]);
  expect(await callerOf(gate, await world.token())).toEqual(ada);
});

test("The first of the owner's scopes counts that the token has, whatever its own order", async () => {
  const gate = world.gate();
  expect((await callerOf(gate, await world.token({ scope: "mcp:tools mcp:admin" }))).key).toBe("owner:ada");
  const other = world.gate({ scopes: { "mcp:tools": "family", "mcp:admin": "owner" } });
  expect((await callerOf(other, await world.token({ scope: "mcp:admin mcp:tools" }))).key).toBe("family:ada");
});

test("Scopes may stand in scp, as a list", async () => {
  const token = await world.token({ scope: undefined, scp: ["x", "mcp:admin"] });
  expect((await callerOf(world.gate(), token)).admin).toBe(true);
});

test("A token without a scope that counts is 403 with insufficient_scope", async () => {
  const gate = world.gate();
  const refusal = await refusalOf(gate, await world.token({ scope: "openid mcp:toolsmith" }));
  expect(refusal).toMatchObject({ status: 403, code: "insufficient_scope" });
  expect(gate.challenge(refusal)).toBe(
    'Bearer resource_metadata="https://ai.example.com/.well-known/oauth-protected-resource/mcp", error="insufficient_scope", ' +
      'error_description="The access token has none of the scopes that count here: mcp:admin, mcp:tools.", scope="mcp:admin mcp:tools"',
  );
  expect((await refusalOf(gate, await world.token({ scope: undefined }))).status).toBe(403);
});

test("A scope whose key is gone gives no rights, nor those of the next scope", async () => {
  const gate = world.gate();
  const token = await world.token({ scope: "mcp:admin mcp:tools" });
  expect((await callerOf(gate, token)).key).toBe("owner:ada");
  world.keys.delete("owner");
  expect(await refusalOf(gate, token)).toMatchObject({ status: 403, code: "insufficient_scope" });
});

test("A key's new rights count at once, also for a token that is remembered", async () => {
  const gate = world.gate();
  const token = await world.token();
  await callerOf(gate, token);
  world.keys.set("family", { ...FAMILY, tools: ["files"] });
  expect((await callerOf(gate, token)).tools).toEqual(["files"]);
});

test.each([
  [
    "of another audience",
    { aud: "https://other.example.com/mcp" },
    /is for "https:\/\/other.example.com\/mcp", not for/,
  ],
  ["of no audience", { aud: undefined }, /lacks claims.*aud/],
  ["of another issuer", { iss: "https://evil.example" }, /is of issuer "https:\/\/evil.example"/],
  ["of the issuer with a slash more", { iss: "+/" }, /is of issuer/],
  ["without a subject", { sub: undefined }, /sub/],
  ["with a subject that would break a log", { sub: "ada\n2026 INFO admin" }, /sub/],
  ["without an end", { exp: undefined }, /exp/],
  ["that is bound to its holder's key", { cnf: { jkt: "abc" } }, /bound to a key/],
  ["that is Keycloak's ID token", { typ: "ID" }, /ID token/],
  ["that is an ID token", { at_hash: "abc" }, /ID token/],
])("A token %s is 401", async (_, claims: Record<string, unknown>, reason) => {
  const given = claims["iss"] === "+/" ? { iss: `${world.issuer.issuer}/` } : claims;
  const refusal = await refusalOf(world.gate(), await world.token(given));
  expect(refusal).toMatchObject({ status: 401, code: "invalid_token" });
  expect(refusal.message).toMatch(reason);
  expect(world.issuer.keyFetches).toBe(0);
});

test("An audience among several is enough", async () => {
  expect((await callerOf(world.gate(), await world.token({ aud: ["account", RESOURCE] }))).key).toBe(
    "family:ada",
  );
});

test("Time is looked at with half a minute of leeway", async () => {
  const gate = world.gate();
  expect((await callerOf(gate, await world.token({ exp: seconds() - 10 }))).key).toBe("family:ada");
  expect((await refusalOf(gate, await world.token({ exp: seconds() - 40 }))).message).toMatch(
    /expired 4\d s ago/,
  );
  expect((await callerOf(gate, await world.token({ nbf: seconds() + 10 }))).key).toBe("family:ada");
  expect((await refusalOf(gate, await world.token({ nbf: seconds() + 100 }))).message).toMatch(
    /good in (?:99|100) s only/,
  );
});

test("A token that is remembered ends with its time", async () => {
  const gate = world.gate();
  const token = await world.token({ exp: seconds() + 60 });
  await callerOf(gate, token);
  world.ahead = 80_000;
  await callerOf(gate, token);
  world.ahead = 91_000;
  expect((await refusalOf(gate, token)).message).toMatch(/expired/);
});

test("A token that is remembered costs no signature, and no question to the issuer", async () => {
  const gate = world.gate();
  const token = await world.token();
  const first = await callerOf(gate, token);
  world.issuer.misbehaviour.jwks = "down";
  const began = performance.now();
  for (let i = 0; i < 2000; i++) expect(await gate.identify(token)).toBe(first);
  // A signature alone takes 60 µs and more; this is a bound on orders of magnitude.
  expect((performance.now() - began) / 2000).toBeLessThan(1);
  expect(world.issuer.keyFetches).toBe(1);
});

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("Signatures by no algorithm and by shared secrets are refused", async () => {
  const gate = world.gate();
  const payload = (await world.token()).split(".")[1] ?? "";
  const none = `${encoded({ alg: "none", typ: "at+jwt" })}.${payload}.`;
  expect((await refusalOf(gate, none)).message).toMatch(/signed with "none"/);
  const [key] = world.issuer.ring.published().keys;
  const head = encoded({ alg: "HS256", typ: "at+jwt", kid: key?.kid });
  for (const secret of [JSON.stringify(key), Buffer.from(key?.x ?? "", "base64url")]) {
    const signature = createHmac("sha256", secret).update(`${head}.${payload}`).digest("base64url");
    expect((await refusalOf(gate, `${head}.${payload}.${signature}`)).message).toMatch(/signed with "HS256"/);
  }
});

test("A changed token, and one of another type, are refused", async () => {
  const gate = world.gate();
  const [head, payload = "", signature] = (await world.token()).split(".");
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, "base64url").toString());
  const raised = `${head}.${encoded({ ...claims, scope: "mcp:admin" })}.${signature}`;
  expect(await refusalOf(gate, raised)).toMatchObject({ status: 401 });
  expect((await refusalOf(gate, await world.token({}, { typ: "dpop+jwt" }))).message).toMatch(
    /must be at\+jwt or JWT/,
  );
  expect((await refusalOf(gate, await world.token({}, { typ: undefined }))).message).toMatch(/not given/);
  expect((await callerOf(gate, await world.token({}, { typ: "JWT" }))).key).toBe("family:ada");
});

test("What is no JWT, or too long, is 401 without a question to the issuer", async () => {
  const gate = world.gate();
  for (const text of ["", "abc", "a.b.c", "....", "eyJhbGciOiJSUzI1NiJ9.e30.", `eyJ${"x".repeat(20_000)}`]) {
    expect(await gate.identify(text)).toMatchObject({ status: 401, code: "invalid_token" });
  }
  expect(world.issuer.seen).toEqual([]);
});

test("The document says where tokens for this resource come from (RFC 9728)", () => {
  const gate = world.gate();
  expect(gate.metadataPath).toBe("/.well-known/oauth-protected-resource/mcp");
  expect(gate.metadata()).toEqual({
    resource: RESOURCE,
    authorization_servers: [world.issuer.issuer],
    scopes_supported: ["mcp:admin", "mcp:tools"],
    bearer_methods_supported: ["header"],
    resource_name: "Omni",
  });
  expect(gate.challenge()).toBe(
    'Bearer resource_metadata="https://ai.example.com/.well-known/oauth-protected-resource/mcp", scope="mcp:admin mcp:tools"',
  );
});

test("Nothing of a token's text can end the challenge's quotes", async () => {
  const gate = world.gate();
  const refusal = await refusalOf(gate, await world.token({ iss: 'a", error="none\r\nset-cookie: x=1' }));
  const challenge = gate.challenge(refusal);
  expect(challenge).toMatch(/^[\x20-\x7e]+$/);
  expect(challenge.match(/"/g)).toHaveLength(8);
});

test("Only what has the form of a JWT looks like one", async () => {
  expect(looksLikeToken(await world.token())).toBe(true);
  for (const key of ["omni_abc", "sk-a.b.c", "a.b.c", "eyJ.b", "eyJhbGciOiJub25lIn0.e30.a.b", ""]) {
    expect(looksLikeToken(key)).toBe(false);
  }
});
