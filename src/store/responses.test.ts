import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { RESPONSE_BOUNDS } from "./response-bounds.ts";
import type { ResponseBounds } from "./response-bounds.ts";
import { openResponses, ResponseTable } from "./response-table.ts";
import { migrate } from "./schema.ts";
import { databasePath } from "./state-paths.ts";
import { openStore } from "./store.ts";

function table(bounds: Partial<ResponseBounds>, now: () => number = Date.now): ResponseTable {
  const database = new DatabaseSync(":memory:");
  migrate(database, "memory");
  return new ResponseTable(database, { ...RESPONSE_BOUNDS, ...bounds }, now);
}

const response = (id: string, size = 10) => ({
  id,
  input: JSON.stringify(["x".repeat(size)]),
  answer: JSON.stringify({ id }),
  items: [`item_${id}`],
});

test("a response belongs to its key", () => {
  const responses = table({});
  responses.put("alice", response("r1"));
  expect(responses.get("alice", "r1")?.answer).toBe('{"id":"r1"}');
  expect(responses.get("bob", "r1")).toBeUndefined();
  expect(responses.holderOf("alice", "item_r1")).toBe("r1");
  expect(responses.holderOf("bob", "item_r1")).toBeUndefined();
  expect(responses.delete("bob", "r1")).toBe(false);
  expect(responses.delete("alice", "r1")).toBe(true);
  expect(responses.get("alice", "r1")).toBeUndefined();
  expect(responses.holderOf("alice", "item_r1")).toBeUndefined();
  responses.close();
});

test("two keys may have the same id", () => {
  const responses = table({});
  responses.put("alice", { ...response("r1"), answer: '"a"' });
  responses.put("bob", { ...response("r1"), answer: '"b"' });
  expect(responses.get("alice", "r1")?.answer).toBe('"a"');
  expect(responses.get("bob", "r1")?.answer).toBe('"b"');
  responses.close();
});

test("one that is too large is not kept, and why is said with its size", () => {
  const responses = table({ each: 500 });
  expect(responses.put("alice", response("big", 1000))).toMatch(/takes 1\d\d\d bytes .* at most 500/);
  expect(responses.get("alice", "big")).toBeUndefined();
  responses.close();
});

test("what was used longest ago goes first, by key and in all", () => {
  let time = 1_000_000;
  const responses = table(
    { perKey: { count: 3, bytes: 1e9 }, all: { count: 100, bytes: 1e9 } },
    () => time++,
  );
  responses.put("bob", response("b1"));
  for (let n = 1; n <= 5; n++) {
    responses.put("alice", response(`r${n}`));
    responses.touch("alice", ["r1"]);
  }
  // The bounds are looked at every 64 responses.
  for (let n = 0; n < 64; n++) responses.put("carol", response(`c${n}`));
  const kept = ["r1", "r2", "r3", "r4", "r5"].filter((id) => responses.get("alice", id) !== undefined);
  expect(kept).toEqual(["r1", "r4", "r5"]);
  expect(responses.get("bob", "b1")).toBeDefined();
  responses.close();
});

test("bytes are bounded", () => {
  const responses = table({ perKey: { count: 1e6, bytes: 20_000 } });
  for (let n = 0; n < 200; n++) responses.put("alice", response(`r${n}`, 1000));
  const kept = Array.from({ length: 200 }, (_, n) => responses.get("alice", `r${n}`)).filter(Boolean);
  // Twenty of about a thousand bytes, and those since the bounds were looked at last.
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.length).toBeLessThan(20 + 64);
  expect(responses.get("alice", "r199")).toBeDefined();
  responses.close();
});

test("what is too old is not seen, whether or not it was deleted yet", () => {
  let time = 0;
  const responses = table({ age: 1000 }, () => time);
  responses.put("alice", response("r1"));
  time = 999;
  expect(responses.get("alice", "r1")).toBeDefined();
  time = 1000;
  expect(responses.get("alice", "r1")).toBeUndefined();
  responses.close();
});

test("what a locked database did not take is seen by a second process a moment after it is free", async () => {
  const folder = mkdtempSync(join(tmpdir(), "omni-responses-"));
  try {
    openStore(folder).close();
    const [first, second] = [openResponses(folder), openResponses(folder)];
    const other = new DatabaseSync(databasePath(folder));
    other.exec("BEGIN IMMEDIATE");
    first.put("alice", response("r1"));
    // Nobody waits a second time for whoever holds it so long.
    const began = performance.now();
    first.put("alice", response("r2"));
    expect(performance.now() - began).toBeLessThan(900);
    other.exec("COMMIT");
    other.close();
    await expect.poll(() => second.get("alice", "r2")).toBeDefined();
    expect(second.get("alice", "r1")).toBeDefined();
    first.close();
    second.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("survives a restart, is seen by a second process, and waits in memory for a locked database", () => {
  const folder = mkdtempSync(join(tmpdir(), "omni-responses-"));
  try {
    const store = openStore(folder);
    const first = openResponses(folder);
    const second = openResponses(folder);
    first.put("alice", response("r1"));
    expect(second.get("alice", "r1")).toBeDefined();

    const other = new DatabaseSync(databasePath(folder));
    other.exec("BEGIN IMMEDIATE");
    expect(first.put("alice", response("r2"))).toBeUndefined();
    expect(first.get("alice", "r2")).toBeDefined();
    expect(first.holderOf("alice", "item_r2")).toBe("r2");
    expect(second.get("alice", "r2")).toBeUndefined();
    other.exec("COMMIT");
    other.close();

    first.close();
    second.close();
    store.close();
    const again = openStore(folder);
    const reopened = openResponses(folder);
    expect(reopened.get("alice", "r1")).toBeDefined();
    expect(reopened.get("alice", "r2")).toBeDefined();
    reopened.close();
    again.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
