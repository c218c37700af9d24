import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
let ends: { close(): unknown }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-test-"));
  store = openStore(folder);
  ends = [store];
});
afterEach(async () => {
  for (const one of ends.toReversed()) await one.close();
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
  it("come back as they were, newest first, with what is unknown left out", async () => {
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
    expect(await table.latest(10)).toEqual([full, row("a")]);
    expect(await table.latest(1)).toEqual([full]);
    expect(await table.latest(0)).toEqual([]);
  });

  it("are found by key, route, service, outcome, status and time", async () => {
    const table = requests();
    table.record(row("1", { key: "alice", service: "oracle", started: NOW - 300 }));
    table.record(
      row("2", { key: "bob", service: "oracle", status: 502, outcome: "failed", started: NOW - 200 }),
    );
    table.record(
      row("3", { key: "bob", route: "coder", status: 429, outcome: "refused", started: NOW - 100 }),
    );
    const ids = async (filter: Parameters<typeof table.latest>[1]) =>
      (await table.latest(10, filter)).map(({ id }) => id);
    expect(await ids({ key: "bob" })).toEqual(["3", "2"]);
    expect(await ids({ service: "oracle" })).toEqual(["2", "1"]);
    expect(await ids({ route: "coder" })).toEqual(["3"]);
    expect(await ids({ outcome: "failed" })).toEqual(["2"]);
    expect(await ids({ status: [400, 499] })).toEqual(["3"]);
    expect(await ids({ key: "bob", status: [500, 599], before: NOW })).toEqual(["2"]);
    expect(await ids({ before: NOW - 150 })).toEqual(["2", "1"]);
    expect(await ids({ key: "x' OR 1 = 1 --" })).toEqual([]);
  });

  it("are written a moment later by themselves, and by the end at the latest", async () => {
    const table = requests();
    const other = requests();
    table.record(row("a"));
    for (let waited = 0; (await other.latest(10)).length === 0; waited += 50) {
      expect(waited).toBeLessThan(10_000);
      await pause(50);
    }
    table.record(row("b"));
    await table.close();
    expect((await other.latest(10)).map(({ id }) => id)).toEqual(["b", "a"]);
  });

  it("are bounded by number and age", async () => {
    const many = requests({ bounds: { rows: 50, age: 1e9 } });
    // The look at the bounds comes with the batch that fills a thousand.
    for (let id = 0; id < 1024; id++) many.record(row(String(id)));
    const kept = await many.latest(1000);
    expect(kept).toHaveLength(50);
    expect(kept[0]?.id).toBe("1023");
    const old = requests({ bounds: { rows: 1e6, age: 60_000 } });
    old.record(row("old", { started: NOW - 120_000 }));
    expect(await old.latest(1000)).toHaveLength(50 + 1);
    expect(await requests({ bounds: { age: 60_000 } }).latest(1000)).toHaveLength(50 + 1);
    // All are older than the age now.
    expect(await requests({ bounds: { age: -60_000 } }).latest(1000)).toEqual([]);
  });

  it("wait while another process writes, and are lost and counted beyond their bound", async () => {
    const lost: [number, string][] = [];
    const table = requests({ lost: (rows, why) => lost.push([rows, why]) });
    const other = new DatabaseSync(databasePath(folder));
    ends.push({ close: () => other.close() });
    other.exec("BEGIN IMMEDIATE");
    const began = performance.now();
    for (let id = 0; id < 8003; id++) table.record(row(String(id)));
    // Whoever records waits for nobody.
    expect(performance.now() - began).toBeLessThan(1000);
    expect(await table.latest(10)).toEqual([]);
    expect(lost).toEqual(
      Array.from({ length: 3 }, () => [1, expect.stringContaining("8000 rows wait to be written")]),
    );
    other.exec("COMMIT");
    for (let waited = 0; (await table.latest(1))[0]?.id !== "7999"; waited += 50) {
      expect(waited).toBeLessThan(10_000);
      await pause(50);
    }
    expect((await table.latest(1000)).map(({ id }) => id)).toEqual(
      Array.from({ length: 1000 }, (_, n) => String(7999 - n)),
    );
  });

  it("that a database held by another process does not take until the end are lost and counted", async () => {
    const lost: [number, string][] = [];
    const table = requests({ lost: (rows, why) => lost.push([rows, why]) });
    const other = new DatabaseSync(databasePath(folder));
    ends.push({ close: () => other.close() });
    other.exec("BEGIN IMMEDIATE");
    for (let id = 0; id < 300; id++) table.record(row(String(id)));
    const began = performance.now();
    await table.close(1500);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(lost).toEqual([[300, "the database could not be written at the end"]]);
    table.record(row("late"));
    expect(lost).toHaveLength(1);
  });

  it("that the database does not take cost no others", async () => {
    const lost: [number, string][] = [];
    const table = requests({ lost: (rows, why) => lost.push([rows, why]) });
    table.record(row("a"));
    table.record(row("half", { promptTokens: 0.5 }));
    table.record(row("b"));
    expect((await table.latest(10)).map(({ id }) => id)).toEqual(["b", "a"]);
    expect(lost).toEqual([[1, expect.stringContaining("promp")]]);
  });
});

describe("a thread that dies", () => {
  const ids = async (table: ReturnType<typeof requests>) =>
    (await table.latest(1000)).map(({ id }) => Number(id)).toReversed();

  it.each(["at once", "after a batch", "after a batch that it could not confirm"])(
    "%s loses no row and writes none twice",
    async (when) => {
      writeFileSync(join(folder, "dies"), when);
      const program = new URL("../../test/fakes/dying-request-thread.ts", import.meta.url);
      const lost: unknown[] = [];
      const warnings: string[] = [];
      const hear = ({ message }: Error): unknown => warnings.push(message);
      process.on("warning", hear);
      const table = requests({ program, lost: (...what) => lost.push(what) });
      for (let id = 0; id < 300; id++) table.record(row(String(id)));
      expect(await ids(table)).toEqual(Array.from({ length: 300 }, (_, n) => n));
      for (let id = 300; id < 310; id++) table.record(row(String(id)));
      await table.close();
      expect(await ids(requests())).toEqual(Array.from({ length: 310 }, (_, n) => n));
      expect(lost).toEqual([]);
      expect(warnings).toEqual([expect.stringContaining(`writes requests down died (died ${when}`)]);
      process.off("warning", hear);
    },
  );
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
