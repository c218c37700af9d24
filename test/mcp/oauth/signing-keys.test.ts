import { afterEach, beforeEach, expect, test } from "vitest";

import { AuthorizationServer } from "../../fakes/authorization-server.ts";
import { callerOf, GatedIssuer, refusalOf, RESOURCE } from "../../fakes/gated-issuer.ts";

let world: GatedIssuer;
beforeEach(async () => {
  world = await GatedIssuer.start();
});
afterEach(() => world[Symbol.asyncDispose]());

const seconds = (): number => Math.floor(Date.now() / 1000);

test("A key that the issuer adds is found, and looked for every 30 s at most", async () => {
  const gate = world.gate();
  await callerOf(gate, await world.token());
  expect(world.issuer.keyFetches).toBe(1);
  await world.issuer.ring.add("RS256");
  const token = await world.token();
  expect(await refusalOf(gate, token)).toMatchObject({ status: 401 });
  world.ahead = 31_000;
  expect((await callerOf(gate, token)).key).toBe("family:ada");
  expect(world.issuer.keyFetches).toBe(2);
  const unknown = await world.token({}, { kid: "made-up" });
  for (let i = 0; i < 20; i++) await refusalOf(gate, unknown);
  expect(world.issuer.keyFetches).toBe(2);
});

test("A key that the issuer withdraws ends its tokens, also those that are remembered", async () => {
  const gate = world.gate();
  const old = await world.token();
  await callerOf(gate, old);
  await world.issuer.ring.add();
  world.issuer.ring.retire();
  world.ahead = 31_000;
  await callerOf(gate, await world.token());
  expect(await refusalOf(gate, old)).toMatchObject({ status: 401 });
});

test("A key without a name is tried with all that fit, and one that was replaced under its name is found", async () => {
  await world.issuer.ring.add();
  const gate = world.gate();
  expect((await callerOf(gate, await world.token({}, { kid: undefined }))).key).toBe("family:ada");
  await world.issuer.ring.add("ES256", "same");
  world.ahead = 31_000;
  await callerOf(gate, await world.token());
  await world.issuer.ring.add("ES256", "same");
  world.issuer.ring.retire();
  world.ahead = 62_000;
  expect((await callerOf(gate, await world.token())).key).toBe("family:ada");
});

test.each(["down", "oversize", "redirect", "not-json", "secret"] as const)(
  "Keys that are %s let nobody in: 503 with the seconds to wait, and it heals",
  async (jwks) => {
    world.issuer.misbehaviour.jwks = jwks;
    const gate = world.gate();
    const refusal = await refusalOf(gate, await world.token());
    expect(refusal).toMatchObject({ status: 503, code: "issuer_unavailable", retryAfter: 2 });
    expect(gate.challenge(refusal)).not.toContain("error");
    await refusalOf(gate, await world.token());
    expect(world.issuer.keyFetches).toBe(1);
    expect(world.issuer.seen).not.toContain("GET /elsewhere");
    expect(world.troubles).toHaveLength(1);
    delete world.issuer.misbehaviour.jwks;
    world.ahead = 3000;
    expect((await callerOf(gate, await world.token())).key).toBe("family:ada");
    expect(world.troubles).toEqual([expect.any(String), undefined]);
  },
);

test("An issuer that nobody listens at is 503, too", async () => {
  const gate = world.gate({ jwks: "http://127.0.0.1:9/jwks" });
  expect(await refusalOf(gate, await world.token())).toMatchObject({ status: 503 });
  expect(world.troubles[0]).toContain("http://127.0.0.1:9/jwks cannot be reached (");
});

test("Keys that are there stand for an issuer that fails, for an hour", async () => {
  const gate = world.gate();
  await callerOf(gate, await world.token());
  world.issuer.misbehaviour.jwks = "down";
  world.ahead = 3_000_000;
  const late = () => world.token({ exp: seconds() + 100_000 });
  expect((await callerOf(gate, await late())).key).toBe("family:ada");
  world.ahead = 3_700_000;
  expect(await refusalOf(gate, await late())).toMatchObject({ status: 503 });
});

test("Keys are asked for once, however many ask at the beginning", async () => {
  const gate = world.gate();
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => world.token({ sub: `user-${i}` })));
  const callers = await Promise.all(tokens.map((token) => callerOf(gate, token)));
  expect(new Set(callers.map(({ key }) => key)).size).toBe(20);
  expect(world.issuer.keyFetches).toBe(1);
});

test.each(["oauth", "openid-before", "openid-behind"] as const)(
  "Metadata of an issuer with a path is found where %s has it",
  async (metadata) => {
    await using realm = await AuthorizationServer.start({ path: "/realms/home", metadata });
    const gate = world.gate({ issuer: realm.issuer });
    const token = await realm.token({ aud: RESOURCE, scope: "mcp:tools" });
    expect((await callerOf(gate, token)).key).toBe("family:ada");
  },
);

test("Metadata of another issuer is not taken", async () => {
  world.issuer.misbehaviour.metadataIssuer = "https://evil.example";
  expect(await refusalOf(world.gate(), await world.token())).toMatchObject({ status: 503 });
  expect(world.troubles[0]).toMatch(/is metadata of issuer "https:\/\/evil.example", not of "http:\/\/127/);
  expect(world.issuer.keyFetches).toBe(0);
});
