import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../test/e2e/run-node.ts";
import type { NewEvent } from "../core/index.ts";
import { openSqliteKeys } from "../store/sqlite-keys.ts";
import type { SqliteKeys } from "../store/sqlite-keys.ts";
import type { KeyMay, StoredKey } from "../store/stored-key.ts";
import { digestOf, newSecret, openKeys, prefixOf } from "./index.ts";
import type { NodeKeys, NodeKeysOptions } from "./index.ts";

const WRITER = fileURLToPath(new URL("../../test/fakes/key-writer.ts", import.meta.url));
const RECORDER = fileURLToPath(new URL("../../test/fakes/usage-recorder.ts", import.meta.url));
const EVER = { from: "2000-01-01", to: "2999-12-31" };

let folder = "";
const open: { close(): Promise<void> }[] = [];
const events: NewEvent[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-keys-"));
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  events.length = 0;
  rmSync(folder, { recursive: true, force: true });
});

async function node(options: Partial<NodeKeysOptions> = {}): Promise<NodeKeys> {
  const keys = await openKeys(
    { folder },
    { spec: [], retention: 1e10, onEvent: (event) => events.push(event), ...options },
  );
  open.push(keys);
  return keys;
}

function owner(): SqliteKeys {
  const store = openSqliteKeys(folder, { patient: true });
  open.push(store);
  return store;
}

const keyOf = (name: string, secret: string, limits?: KeyMay["limits"]): StoredKey => ({
  name,
  digest: digestOf(secret),
  prefix: prefixOf(secret),
  may: { admin: false, upstream: false, priority: 5, ...(limits === undefined ? {} : { limits }) },
  created: Date.now(),
});

describe("keys that another process changes", () => {
  test("are known at the first request that shows one, and by the clock otherwise", async () => {
    const { gate } = await node();
    expect(gate.open).toBe(true);
    const store = owner();
    const [first, second] = [newSecret(), newSecret()];
    await store.create(keyOf("a", first));
    await eventually(() => !gate.open);
    expect(events.map(({ kind }) => kind)).toEqual(["key.created", "key.first"]);
    // A moment between two looks that unknown secrets may cause.
    await eventually(() => "key" in gate.identify(first));
    await store.rotate("a", {
      digest: digestOf(second),
      prefix: prefixOf(second),
      at: 1,
      graceUntil: Date.now() + 60_000,
    });
    await eventually(() => "key" in gate.identify(second));
    expect(gate.identify(first)).toMatchObject({ key: "a" });
    await store.revoke("a", Date.now());
    await eventually(() => "status" in gate.identify(second));
    expect(gate.identify(first)).toMatchObject({ status: 401 });
    expect(gate.open).toBe(false);
    expect(events.map(({ kind }) => kind)).toEqual([
      "key.created",
      "key.first",
      "key.rotated",
      "key.revoked",
    ]);
    expect(JSON.stringify(events)).not.toContain(digestOf(second));
  });

  test("a node whose last key was revoked, or whose database was lost, starts closed; one that forgot them opens", async () => {
    const store = owner();
    await store.create(keyOf("a", newSecret()));
    await store.revoke("a", Date.now());
    expect((await node()).gate.open).toBe(false);
    for (const one of open.splice(0)) await one.close();
    for (const ending of ["", "-wal", "-shm"]) rmSync(join(folder, `omni.db${ending}`), { force: true });
    expect((await node()).gate.open).toBe(false);
    const again = owner();
    await again.create(keyOf("a", newSecret()));
    await expect(again.forget("a")).rejects.toMatchObject({ code: "key.unknown" });
    await again.revoke("a", Date.now());
    await again.forget("a");
    expect((await node()).gate.open).toBe(true);
  });

  test("a key of the spec goes before a created one of its name, and an event says so", async () => {
    const [ofSpec, created] = [newSecret(), newSecret()];
    await owner().create(keyOf("a", created));
    const caller = { key: "a", admin: true, upstream: false, priority: 9 };
    const { gate } = await node({
      spec: [{ caller, digest: digestOf(ofSpec), expires: Date.now() + 60_000 }],
    });
    expect(gate.identify(ofSpec)).toEqual(caller);
    expect(gate.identify(created)).toMatchObject({ status: 401 });
    expect(events).toMatchObject([{ kind: "key.shadowed", severity: "warning" }]);
  });

  test("several processes create at once: every name once, nothing lost", async () => {
    const children = Array.from({ length: 3 }, (_, n) =>
      spawn(process.execPath, [WRITER, folder, `p${n}`, "6"], { stdio: "inherit" }),
    );
    const codes = await Promise.all(
      children.map(async (child) => (await once(child, "close"))[0] as unknown),
    );
    expect(codes).toEqual([0, 0, 0]);
    const keys = await owner().list();
    // Each makes six of its own, and all try the same one.
    expect(keys.length).toBe(19);
    expect(keys.filter(({ name }) => name === "same").length).toBe(1);
    expect(await owner().usage(EVER)).toMatchObject([{ key: "all", requests: 18, promptTokens: 18 }]);
  });
});

describe("usage", () => {
  test("is written within a second and at the end, a row for each key, model, service and day", async () => {
    const keys = await node();
    const entry = { key: "a", model: "m", service: "s", promptTokens: 10, completionTokens: 5 };
    keys.usage.record(entry);
    keys.usage.record({ ...entry, cachedTokens: 4 });
    keys.usage.record({ ...entry, service: "t" });
    const store = owner();
    await eventually(() => store.usageNow(EVER).length === 2);
    keys.usage.record(entry);
    await keys.close();
    expect(store.usageNow(EVER)).toMatchObject([
      {
        key: "a",
        model: "m",
        service: "s",
        requests: 3,
        promptTokens: 30,
        completionTokens: 15,
        cachedTokens: 4,
      },
      { key: "a", model: "m", service: "t", requests: 1 },
    ]);
  });

  test("waits for a lock of another process without holding the node up, and loses nothing", async () => {
    const keys = await node();
    const other = new DatabaseSync(join(folder, "omni.db"));
    other.exec("BEGIN IMMEDIATE");
    const began = performance.now();
    for (let n = 0; n < 600; n++)
      keys.usage.record({ key: "a", model: "m", service: "s", promptTokens: 1, completionTokens: 1 });
    expect(performance.now() - began).toBeLessThan(1000);
    await eventually(() => events.some(({ kind }) => kind === "usage.unwritten"));
    other.exec("COMMIT");
    other.close();
    await eventually(() => events.some(({ kind }) => kind === "usage.written"));
    expect(owner().usageNow(EVER)).toMatchObject([{ requests: 600, promptTokens: 600 }]);
  });

  test("that another connection keeps waiting for a moment is no news, and is written at the end all the same", async () => {
    const keys = await node();
    const other = new DatabaseSync(join(folder, "omni.db"));
    const held = (time: number): void => {
      other.exec("BEGIN IMMEDIATE");
      setTimeout(() => other.exec("COMMIT"), time);
    };
    for (let n = 0; n < 499; n++)
      keys.usage.record({ key: "a", model: "m", service: "s", promptTokens: 1, completionTokens: 1 });
    held(0);
    keys.usage.record({ key: "a", model: "m", service: "s", promptTokens: 1, completionTokens: 1 });
    await eventually(() => owner().usageNow(EVER)[0]?.requests === 500);
    expect(events.filter(({ kind }) => kind.startsWith("usage."))).toEqual([]);
    keys.usage.record({ key: "a", model: "m", service: "s", promptTokens: 1, completionTokens: 1 });
    held(120);
    await keys.close();
    other.close();
    expect(owner().usageNow(EVER)).toMatchObject([{ requests: 501 }]);
  });

  test("of a node that is killed is lost for the last second at most", async () => {
    const child = spawn(process.execPath, [RECORDER, folder], { stdio: ["ignore", "pipe", "inherit"] });
    let recorded = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (recorded += text.length));
    try {
      const store = owner();
      const written = (): number => store.usageNow(EVER)[0]?.requests ?? 0;
      await eventually(() => written() > 0);
      const before = recorded;
      await eventually(() => written() >= before);
      const last = recorded;
      child.kill("SIGKILL");
      await once(child, "close");
      expect(written()).toBeGreaterThanOrEqual(before);
      // One each ten milliseconds at most: what came since the last batch is a second's at most.
      expect(written()).toBeGreaterThanOrEqual(last - 120);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("a budget goes on after a restart", async () => {
    const secret = newSecret();
    await owner().create(keyOf("a", secret, { tokensPerDay: 100, tokensPerMonth: 150 }));
    const first = await node();
    const who = first.gate.identify(secret);
    if (!("key" in who)) throw new Error(who.message);
    const admitted = await first.gate.admit(who, 10);
    if ("settle" in admitted) admitted.settle(90);
    first.usage.record({ key: "a", model: "m", service: "s", promptTokens: 10, completionTokens: 80 });
    await first.close();
    const { gate } = await node();
    const again = gate.identify(secret);
    if (!("key" in again)) throw new Error(again.message);
    expect(await gate.admit(again, 11)).toMatchObject({ status: 429, code: "quota_exceeded" });
    expect(await gate.admit(again, 10)).toHaveProperty("settle");
    expect(gate.limitHeaders(again)).toEqual([]);
  });

  test("older than the retention is deleted, and never what a month's budget needs", async () => {
    const store = owner();
    const row = {
      key: "a",
      model: "m",
      service: "s",
      requests: 1,
      promptTokens: 1,
      completionTokens: 1,
      cachedTokens: 0,
    };
    const daysAgo = (days: number): string =>
      new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
    store.addUsage([40, 33, 31, 1].map((days) => ({ ...row, day: daysAgo(days) })));
    const keys = await node({ retention: 86_400_000 });
    keys.usage.record(row);
    await keys.close();
    expect(store.usageNow(EVER).map(({ day }) => day)).toEqual([31, 1, 0].map(daysAgo));
  });
});

test("a database that is none is said, and left for the node to put aside", async () => {
  writeFileSync(
    join(folder, "omni.db"),
    "this is no database, and long enough to be looked at as one".repeat(20),
  );
  expect(() => openSqliteKeys(folder, { patient: true })).toThrow(
    expect.objectContaining({ code: "store.unwritable" }),
  );
});
