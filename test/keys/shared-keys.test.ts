import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { NewEvent } from "../../src/core/index.ts";
import { digestOf, newSecret, openKeys, prefixOf } from "../../src/keys/index.ts";
import type { Caller, NodeKeys } from "../../src/keys/index.ts";
import type { Admitted, KeyRefusal } from "../../src/keys/key-gate.ts";
import { LimitLedger } from "../../src/keys/limits/limit-ledger.ts";
import { PostgresLender } from "../../src/store/postgres/postgres-lender.ts";
import { PostgresLink } from "../../src/store/postgres/postgres-link.ts";
import { KEYS_CHANNEL, openPostgresKeys } from "../../src/store/postgres/postgres-keys.ts";
import type { KeyMay, KeyStore, StoredKey } from "../../src/store/stored-key.ts";
import { eventually } from "../e2e/run-node.ts";
import { noPostgres, PASSWORD, startPostgres } from "../fakes/postgres-server.ts";
import type { PostgresServer } from "../fakes/postgres-server.ts";

const reason = noPostgres();
if (reason !== undefined) process.stderr.write(`PostgreSQL is not tested: ${reason}.\n`);

const keyOf = (name: string, secret: string, limits?: KeyMay["limits"]): StoredKey => ({
  name,
  digest: digestOf(secret),
  prefix: prefixOf(secret),
  may: { admin: false, upstream: false, priority: 5, ...(limits === undefined ? {} : { limits }) },
  created: Date.now(),
});

describe.skipIf(reason !== undefined)("several gateways over one PostgreSQL", () => {
  let server: PostgresServer;
  let owner: KeyStore;
  const gateways: NodeKeys[] = [];
  const events: NewEvent[] = [];

  const gateway = async (url = server.url): Promise<NodeKeys> => {
    const options = { spec: [], retention: 1e10, onEvent: (event: NewEvent) => events.push(event) };
    const keys = await openKeys({ postgres: url }, options);
    gateways.push(keys);
    return keys;
  };
  const caller = async ({ gate }: NodeKeys, secret: string): Promise<Caller> => {
    await eventually(() => !gate.open && "key" in gate.identify(secret));
    const found = gate.identify(secret);
    if (!("key" in found)) throw new Error(found.message);
    return found;
  };
  const admit = async ({ gate }: NodeKeys, who: Caller, tokens: number): Promise<Admitted | KeyRefusal> =>
    gate.admit(who, tokens);

  beforeAll(async () => {
    server = await startPostgres();
    owner = await openPostgresKeys(server.url);
  });
  afterEach(async () => {
    await Promise.all(gateways.splice(0).map((keys) => keys.close()));
    events.length = 0;
  });
  afterAll(async () => {
    await owner?.close();
    await server?.remove();
  });

  it("see a key at once that is created, rotated or revoked, and start together on an empty database", async () => {
    const [a, b] = await Promise.all([gateway(), gateway()]);
    expect([a.gate.open, b.gate.open]).toEqual([true, true]);
    const [first, second] = [newSecret(), newSecret()];
    await owner.create(keyOf("team", first));
    for (const keys of [a, b]) expect(await caller(keys, first)).toMatchObject({ key: "team", admin: false });
    await expect(owner.create(keyOf("team", second))).rejects.toMatchObject({ code: "key.exists" });
    await owner.rotate("team", { digest: digestOf(second), prefix: prefixOf(second), at: Date.now() });
    await caller(b, second);
    await eventually(() => "status" in b.gate.identify(first));
    await owner.revoke("team", Date.now());
    await eventually(() => "status" in a.gate.identify(second) && "status" in b.gate.identify(second));
    expect([a.gate.open, b.gate.open]).toEqual([false, false]);
    await expect(owner.rotate("team", { digest: "", prefix: "", at: 0 })).rejects.toMatchObject({
      code: "key.unknown",
    });
  });

  it("keep a limit of 100 requests a minute together", async () => {
    const secret = newSecret();
    await owner.create(keyOf("hundred", secret, { requestsPerMinute: 100 }));
    const both = [await gateway(), await gateway()] as const;
    const who = await Promise.all(both.map((keys) => caller(keys, secret)));
    const began = performance.now();
    const served = [0, 0];
    const refusals: KeyRefusal[] = [];
    for (let n = 0; n < 300; n++) {
      const at = n % 2;
      const answer = await admit(
        both[at] ?? both[0],
        who[at] ?? { key: "", admin: false, upstream: false, priority: 0 },
        0,
      );
      if ("settle" in answer) {
        served[at] = (served[at] ?? 0) + 1;
        answer.settle(0);
      } else refusals.push(answer);
    }
    const backMeanwhile = ((performance.now() - began) / 60_000) * 100;
    const sum = (served[0] ?? 0) + (served[1] ?? 0);
    expect(sum).toBeGreaterThanOrEqual(98);
    expect(sum).toBeLessThanOrEqual(Math.ceil(100 + backMeanwhile));
    // Neither is starved by the other's loan.
    expect(Math.min(...served)).toBeGreaterThan(20);
    expect(refusals[0]).toMatchObject({
      status: 429,
      code: "rate_limit_exceeded",
      message: expect.stringContaining("100 requests a minute"),
    });
    expect(refusals[0]?.retryAfter).toBeGreaterThanOrEqual(1);
  });

  it("keep a budget of tokens together, over a restart too", async () => {
    const secret = newSecret();
    await owner.create(keyOf("budget", secret, { tokensPerDay: 10_000 }));
    const first = await gateway();
    const who = await caller(first, secret);
    for (let n = 0; n < 6; n++) {
      const answer = await admit(first, who, 500);
      if ("settle" in answer) answer.settle(1000);
    }
    gateways.length = 0;
    await first.close();
    const [a, b] = [await gateway(), await gateway()];
    let tokens = 6000;
    for (let n = 0; n < 40; n++) {
      const keys = n % 2 === 0 ? a : b;
      const answer = await admit(keys, await caller(keys, secret), 100);
      if (!("settle" in answer)) continue;
      answer.settle(100);
      tokens += 100;
    }
    // The last ones may lie with the other for a moment, until it gives back what it does not use.
    expect(tokens).toBeGreaterThanOrEqual(9500);
    await eventually(async () => {
      const answer = await admit(a, await caller(a, secret), 100);
      if ("settle" in answer) {
        answer.settle(100);
        tokens += 100;
      }
      return tokens >= 10_000;
    });
    expect(tokens).toBe(10_000);
    const refused = await admit(a, await caller(a, secret), 100);
    expect(refused).toMatchObject({
      code: "quota_exceeded",
      message: expect.stringContaining("10 000 tokens a day"),
    });
  });

  it("count requests at the same time together", async () => {
    const secret = newSecret();
    await owner.create(keyOf("four", secret, { concurrent: 4 }));
    const [a, b] = [await gateway(), await gateway()];
    const running: Admitted[] = [];
    for (let n = 0; n < 12; n++) {
      const keys = n % 2 === 0 ? a : b;
      const answer = await admit(keys, await caller(keys, secret), 0);
      if ("settle" in answer) running.push(answer);
    }
    expect(running.length).toBe(4);
    for (const one of running) one.settle(1);
    expect(await admit(a, await caller(a, secret), 0)).toHaveProperty("settle");
  });

  it("write what keys used, added up over gateways", async () => {
    const both = [await gateway(), await gateway()];
    for (const { usage } of both)
      for (let n = 0; n < 700; n++)
        usage.record({
          key: "books",
          model: "m",
          service: "s",
          promptTokens: 3,
          completionTokens: 2,
          cachedTokens: 1,
        });
    await Promise.all(gateways.splice(0).map((keys) => keys.close()));
    expect(await owner.usage({ from: "2000-01-01", to: "2999-01-01", key: "books" })).toMatchObject([
      {
        key: "books",
        model: "m",
        service: "s",
        requests: 1400,
        promptTokens: 4200,
        completionTokens: 2800,
        cachedTokens: 1400,
      },
    ]);
  });

  it("go on alone while the database is killed, never open, and tell it afterwards", async () => {
    const [secret, later] = [newSecret(), newSecret()];
    await owner.create(keyOf("survivor", secret, { tokensPerDay: 1000 }));
    const keys = await gateway();
    const who = await caller(keys, secret);
    const first = await admit(keys, who, 100);
    if ("settle" in first) first.settle(100);
    await server.kill();
    await eventually(() => events.some(({ kind }) => kind === "store.away"));
    expect(keys.gate.identify(later)).toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(keys.gate.identify(secret)).toBe(who);
    let served = 0;
    for (let n = 0; n < 50; n++) {
      const answer = await admit(keys, who, 10);
      if ("settle" in answer) {
        served += 1;
        answer.settle(10);
      }
    }
    expect(served).toBe(50);
    keys.usage.record({ key: "survivor", model: "m", service: "s", promptTokens: 1, completionTokens: 1 });
    await expect(owner.create(keyOf("later", later))).rejects.toMatchObject({ code: "store.unreachable" });
    const starting = await gateway();
    expect(starting.gate.open).toBe(false);
    expect(starting.gate.identify(secret)).toMatchObject({ status: 401 });
    expect(JSON.stringify(events)).not.toContain(PASSWORD);

    await server.start();
    await caller(starting, secret);
    await eventually(() => events.some(({ kind }) => kind === "limits.shared"));
    await eventually(async () =>
      owner.usage({ from: "2000-01-01", to: "2999-01-01", key: "survivor" }).then(
        (rows) => rows.length === 1,
        () => false,
      ),
    );
    // What was counted alone is common now: 1000 tokens a day less 100 and what was served since.
    let tokens = 100 + served * 10;
    for (let n = 0; n < 200 && tokens <= 2000; n++) {
      const answer = await admit(starting, await caller(starting, secret), 50);
      if (!("settle" in answer)) break;
      answer.settle(50);
      tokens += 50;
    }
    expect(tokens).toBeGreaterThan(850);
    expect(tokens).toBeLessThanOrEqual(1000);
    expect(events.map(({ kind }) => kind)).toContain("store.back");
  });

  it("lend exactly as one node's ledger does, whatever is asked", async () => {
    const link = new PostgresLink(server.url, KEYS_CHANNEL, {
      up: () => {},
      down: () => {},
      notified: () => {},
    });
    await link.connect({ keepTrying: false });
    const database = new PostgresLender(link);
    let run = 0;
    const ask = fc.record({
      holder: fc.constantFrom("a", "b", "c"),
      allowance: fc.constantFrom("tokensPerDay:2026-11-22", "concurrent", "tokensPerMinute"),
      spent: fc.integer({ min: -50, max: 300 }),
      want: fc.constantFrom(0, 1, 7, 100, 2000),
    });
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(ask, { maxLength: 12 }),
          fc.integer({ min: 1, max: 1000 }),
          async (asks, limit) => {
            const ledger = new LimitLedger();
            run += 1;
            for (const { holder, allowance, spent, want } of asks) {
              // A span of years: what comes back while a test runs is nothing.
              const span = allowance === "tokensPerMinute" ? 1e15 : 0;
              const told = { key: `run ${run}`, allowance, limit, span, spent, want };
              const [[there], [here]] = [
                await database.exchange(holder, [told]),
                await ledger.exchange(holder, [told]),
              ];
              expect(there?.held).toBeCloseTo(here?.held ?? -1, 3);
              expect(there?.taken).toBeCloseTo(here?.taken ?? -1, 3);
            }
          },
        ),
        { numRuns: 25 },
      );
    } finally {
      await link.close();
    }
  });

  it("never say the connection string, and refuse what is none", async () => {
    const wrong = server.url.replace(PASSWORD, "another-secret");
    await expect(openPostgresKeys(wrong)).rejects.toMatchObject({
      code: "store.unreachable",
      message: expect.not.stringContaining("another-secret"),
    });
    await expect(openPostgresKeys("user:secret@host")).rejects.toMatchObject({
      message: expect.not.stringContaining("secret"),
    });
    const keys = await gateway(wrong);
    expect(keys.gate.open).toBe(false);
    expect(JSON.stringify(events)).not.toContain("another-secret");
  });
});
