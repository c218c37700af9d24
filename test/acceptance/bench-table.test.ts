import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepBenchRun, openStore, readBenchRuns } from "../../src/store/index.ts";
import type { NewBenchRow } from "../../src/store/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-bench-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const row = (changes: Partial<NewBenchRow> = {}): NewBenchRow => ({
  omniVersion: "0.1.0",
  digest: "d1",
  service: "oracle",
  engine: "llama.cpp",
  engineVersion: "b9977",
  model: "deepseek",
  cards: ["RTX PRO 6000", "RTX PRO 6000"],
  route: "chat",
  settings: { rounds: 3 },
  numbers: { generation: { speed: { median: 10.9 } } },
  ...changes,
});

test("runs come back newest first with all that was kept, each under a number of its own", () => {
  expect(readBenchRuns(folder)).toEqual([]);
  expect(keepBenchRun(folder, [row(), row({ route: "code" })], 1000)).toBe(1);
  expect(keepBenchRun(folder, [row({ engineVersion: "b9980" })], 2000.4)).toBe(2);
  expect(readBenchRuns(folder)).toEqual([
    { ...row({ engineVersion: "b9980" }), run: 2, time: 2000 },
    { ...row({ route: "code" }), run: 1, time: 1000 },
    { ...row(), run: 1, time: 1000 },
  ]);
});

test("rows are bounded by kind and altogether, the oldest go first, and numbers are never used again", () => {
  const kept = { perKey: 2, all: 3 };
  for (let n = 1; n <= 4; n++) keepBenchRun(folder, [row()], n, kept);
  expect(readBenchRuns(folder).map(({ run }) => run)).toEqual([4, 3]);
  for (const model of ["a", "b"]) keepBenchRun(folder, [row({ model })], 9, kept);
  expect(readBenchRuns(folder).map(({ run }) => run)).toEqual([6, 5, 4]);
});

test("a node may own the folder meanwhile, and a database from before gets the table", () => {
  const store = openStore(folder);
  try {
    expect(keepBenchRun(folder, [row()], 1)).toBe(1);
    store.events.record({ kind: "a.b", severity: "info", message: "still writing" });
  } finally {
    store.close();
  }
  const old = new DatabaseSync(join(folder, "omni.db"));
  const version = Number(old.prepare("PRAGMA user_version").get()?.["user_version"]);
  old.exec(`DROP TABLE bench_runs; PRAGMA user_version = ${version}`);
  old.close();
  expect(readBenchRuns(folder)).toEqual([]);
});

test("a file that is no database is named", () => {
  writeFileSync(join(folder, "omni.db"), "no database\n".repeat(100));
  expect(() => keepBenchRun(folder, [row()], 1)).toThrow(/The bench cannot be kept in .*omni\.db/);
  expect(() => readBenchRuns(folder)).toThrow(/The benches in .*omni\.db cannot be read/);
});
