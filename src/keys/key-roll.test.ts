import { expect, test } from "vitest";
import type { KnownKey } from "./known-key.ts";
import { knownStoredKey } from "./known-key.ts";
import { KeyRoll } from "./key-roll.ts";
import { digestOf, newSecret, prefixOf } from "./key-secret.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const known = (key: string, ...digests: KnownKey["digests"]): KnownKey => ({
  caller: { key, admin: false, upstream: false, priority: 5 },
  digests,
});

test("a node that never had a key takes everyone; once it had one, the last one's end does not open it", () => {
  const roll = new KeyRoll();
  expect(roll.open).toBe(true);
  expect(roll.identify(undefined, NOW)).toEqual({ key: "local", admin: true, upstream: true, priority: 5 });
  expect(roll.identify("anything", NOW)).toMatchObject({ key: "local" });
  const secret = newSecret();
  roll.set([known("a", { digest: digestOf(secret) })], false);
  expect(roll.open).toBe(false);
  roll.set([], false);
  expect(roll.open).toBe(false);
  expect(roll.identify(secret, NOW)).toMatchObject({ status: 401, code: "invalid_api_key" });
  expect(roll.identify(undefined, NOW)).toMatchObject({ status: 401, code: "invalid_api_key" });
});

test("a revoked key's row alone keeps a node closed", () => {
  const roll = new KeyRoll();
  roll.set([], true);
  expect(roll.open).toBe(false);
});

test("each secret leads to its caller, the same object as long as nothing of it changes", () => {
  const roll = new KeyRoll();
  const secrets = Array.from({ length: 100 }, newSecret);
  const keys = secrets.map((secret, n) => known(`k${n}`, { digest: digestOf(secret) }));
  roll.set(keys, true);
  const before = secrets.map((secret) => roll.identify(secret, NOW));
  expect(before.map((caller) => ("key" in caller ? caller.key : caller.code))).toEqual(
    secrets.map((_, n) => `k${n}`),
  );
  roll.set(
    keys.map((key, n) =>
      n === 3 ? { ...key, caller: { ...key.caller, admin: true } } : structuredClone(key),
    ),
    true,
  );
  const after = secrets.map((secret) => roll.identify(secret, NOW));
  expect(after.filter((caller, n) => caller !== before[n])).toEqual([{ ...before[3], admin: true }]);
  for (const wrong of ["", "omni_", `${secrets[0]}x`, secrets[0]?.slice(0, -1), digestOf(secrets[0] ?? "")])
    expect(roll.identify(wrong, NOW)).toMatchObject({ code: "invalid_api_key" });
});

test("a key ends at its time, and an old secret with its grace or the key, whichever comes first", () => {
  const [old, fresh] = [newSecret(), newSecret()];
  const stored = {
    name: "team",
    digest: digestOf(fresh),
    prefix: prefixOf(fresh),
    may: { admin: false, upstream: false, priority: 5, limits: { concurrent: 3 } },
    created: NOW,
    expires: NOW + 1000,
    graced: { digest: digestOf(old), until: NOW + 600 },
  };
  const roll = new KeyRoll();
  const key = knownStoredKey(stored);
  roll.set(key === undefined ? [] : [key], true);
  expect(roll.identify(old, NOW + 599)).toEqual({
    key: "team",
    admin: false,
    upstream: false,
    priority: 5,
    limits: { concurrent: 3 },
  });
  expect(roll.identify(old, NOW + 600)).toMatchObject({ status: 401, code: "key_expired" });
  expect(roll.identify(fresh, NOW + 999)).toMatchObject({ key: "team" });
  // What acts in its name without its secret, such as a batch or a token, ends with it.
  expect(roll.callerOf("team", NOW + 999)).toMatchObject({ key: "team" });
  expect(roll.callerOf("team", NOW + 1000)).toBeUndefined();
  expect(roll.identify(fresh, NOW + 1000)).toEqual({
    status: 401,
    code: "key_expired",
    message:
      "The key team expired at 2026-11-22 12:00 UTC; its owner makes a new one with ./omni keys rotate or create.",
  });
  expect(knownStoredKey({ ...stored, revoked: NOW })).toBeUndefined();
});

test("secrets are 256 random bits of 62 characters, and a prefix shows few of them", () => {
  const secrets = new Set(Array.from({ length: 300 }, newSecret));
  expect(secrets.size).toBe(300);
  for (const secret of secrets) {
    expect(secret).toMatch(/^omni_[0-9A-Za-z]{43}$/);
    expect(prefixOf(secret)).toHaveLength(10);
  }
  const seen = new Set([...secrets].flatMap((secret) => secret.slice(5).split("")));
  expect(seen.size).toBe(62);
});
