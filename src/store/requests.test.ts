import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dropContents, openContents, openRequests, openStore } from "./index.ts";
import type { KeptContent, RequestRow, Store } from "./index.ts";
import { databasePath } from "./state-paths.ts";

let folder: string;
let store: Store;
let ends: { close(): void }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-test-"));
  store = openStore(folder);
  ends = [store];
});
afterEach(() => {
  for (const one of ends.toReversed()) one.close();
  rmSync(folder, { recursive: true, force: true });
});

const NOW = Date.now();

const row = (id: string, changes: Partial<RequestRow> = {}): RequestRow => ({
  id,
  started: NOW,
  method: "POST",
  path: "/v1/chat/completions",
  operation: "chat",
  status: 200,
  outcome: "answered",
  key: "alice",
  stream: false,
  attempts: 1,
  continued: 0,
  duration: 12.5,
  queued: 0.25,
  bytesIn: 10,
  bytesOut: 20,
  ...changes,
});

function requests(options: Parameters<typeof openRequests>[1] = {}) {
  const table = openRequests(folder, options);
  ends.push(table);
  return table;
}

describe("requests", () => {
  it("come back as they were, newest first, with what is unknown left out", () => {
    const table = requests();
    const full = row("b", {
      route: "assistant",
      service: "oracle",
      engine: "vllm",
      model: "qwen3",
      stream: true,
      firstToken: 300.5,
      promptTokens: 1000,
      completionTokens: 0,
      cachedTokens: 800,
      error: "engine_cut",
    });
    table.record(row("a"));
    table.record(full);
    expect(table.latest(10)).toEqual([full, row("a")]);
    expect(table.latest(1)).toEqual([full]);
    expect(table.latest(0)).toEqual([]);
  });

  it("are found by key, route, service, outcome, status and time", () => {
    const table = requests();
    table.record(row("1", { key: "alice", service: "oracle", started: NOW - 300 }));
    table.record(
      row("2", { key: "bob", service: "oracle", status: 502, outcome: "failed", started: NOW - 200 }),
    );
    table.record(
      row("3", { key: "bob", route: "coder", status: 429, outcome: "refused", started: NOW - 100 }),
    );
    const ids = (filter: Parameters<typeof table.latest>[1]) => table.latest(10, filter).map(({ id }) => id);
    expect(ids({ key: "bob" })).toEqual(["3", "2"]);
    expect(ids({ service: "oracle" })).toEqual(["2", "1"]);
    expect(ids({ route: "coder" })).toEqual(["3"]);
    expect(ids({ outcome: "failed" })).toEqual(["2"]);
    expect(ids({ status: [400, 499] })).toEqual(["3"]);
    expect(ids({ key: "bob", status: [500, 599], before: NOW })).toEqual(["2"]);
    expect(ids({ before: NOW - 150 })).toEqual(["2", "1"]);
    expect(ids({ key: "x' OR 1 = 1 --" })).toEqual([]);
  });

  it("are written a moment later by themselves, and by the end at the latest", async () => {
    const table = requests();
    const other = requests();
    table.record(row("a"));
    for (let waited = 0; other.latest(10).length === 0; waited += 50) {
      expect(waited).toBeLessThan(10_000);
      await pause(50);
    }
    table.record(row("b"));
    table.close();
    expect(other.latest(10).map(({ id }) => id)).toEqual(["b", "a"]);
  });

  it("are bounded by number and age", () => {
    const many = requests({ bounds: { rows: 50, age: 1e9 } });
    for (let id = 0; id < 1000; id++) many.record(row(String(id)));
    many.flush();
    // The look at the bounds comes with every thousandth row.
    expect(many.latest(1000)).toHaveLength(50);
    expect(many.latest(1)[0]?.id).toBe("999");
    const old = requests({ bounds: { rows: 1e6, age: 60_000 } });
    expect(old.latest(1000)).toHaveLength(50);
    old.record(row("old", { started: NOW - 120_000 }));
    old.flush();
    expect(requests({ bounds: { age: 60_000 } }).latest(1000)).toHaveLength(50 + 1);
    // All are older than the age now.
    expect(requests({ bounds: { age: -60_000 } }).latest(1000)).toEqual([]);
  });

  it("wait while another process writes, and are lost and counted beyond their bound", () => {
    const lost: [number, string][] = [];
    const table = requests({ lost: (rows, why) => lost.push([rows, why]) });
    const other = new DatabaseSync(databasePath(folder));
    ends.push({ close: () => other.close() });
    other.exec("BEGIN IMMEDIATE");
    for (let id = 0; id < 1003; id++) table.record(row(String(id)));
    const began = performance.now();
    expect(table.latest(10)).toEqual([]);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(lost).toEqual(
      Array.from({ length: 3 }, () => [1, expect.stringContaining("1000 requests a second")]),
    );
    other.exec("COMMIT");
    expect(table.latest(1000)).toHaveLength(1000);
  });
});

describe("contents", () => {
  const content = (id: string, bytes: number, changes: Partial<KeptContent> = {}): KeptContent => ({
    id,
    time: NOW,
    key: "alice",
    request: new Uint8Array(Buffer.from(`{"asked":"${id}"}`)),
    answer: new Uint8Array(bytes).fill(7),
    whole: true,
    ...changes,
  });

  function contents(bounds: { age: number; bytes: number }, lost?: Parameters<typeof openContents>[2]) {
    const table = openContents(folder, bounds, lost);
    ends.push(table);
    return table;
  }

  it("come back byte for byte, before and after they were written", () => {
    const table = contents({ age: 1e6, bytes: 1e6 });
    const one = content("a", 100, { whole: false });
    table.put(one);
    expect(table.get("a")).toEqual(one);
    table.flush();
    expect(table.get("a")).toEqual(one);
    expect(table.get("b")).toBeUndefined();
  });

  it("take no more bytes than allowed: the oldest go first", () => {
    const lost: string[] = [];
    const table = contents({ age: 1e9, bytes: 10_000 }, (_, why) => lost.push(why));
    for (let number = 0; number < 30; number++)
      table.put(content(`id-${number}`, 900, { time: NOW + number }));
    table.flush();
    const kept = Array.from({ length: 30 }, (_, number) => number).filter(
      (number) => table.get(`id-${number}`) !== undefined,
    );
    // 900 bytes, 17 of the request, 10 of the names and 64 of the row are 991: ten fit into 10 000.
    expect(kept).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    table.put(content("giant", 20_000));
    expect(lost).toEqual([expect.stringContaining("is more than all of them may have")]);
  });

  it("go when they are old, and all of them when nobody wants them kept any more", () => {
    const table = contents({ age: 60_000, bytes: 1e6 });
    table.put(content("old", 10, { time: NOW - 120_000 }));
    table.put(content("new", 10));
    table.flush();
    expect([table.get("old"), table.get("new")?.id]).toEqual([undefined, "new"]);
    table.close();
    dropContents(folder);
    expect(contents({ age: 1e9, bytes: 1e9 }).get("new")).toBeUndefined();
  });
});
