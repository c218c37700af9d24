import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OmniError } from "../core/index.ts";
import type { NewMeasurement, Store } from "./index.ts";
import { openStore, readMeasurements } from "./index.ts";

let folder = "";
let opened: Store[] = [];
const open = (
  ...options: Parameters<typeof openStore> extends [string, ...infer Rest] ? Rest : never
): Store => {
  const store = openStore(folder, ...options);
  opened.push(store);
  return store;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-measured-"));
});
afterEach(() => {
  for (const store of opened) store.close();
  opened = [];
  rmSync(folder, { recursive: true, force: true });
});

const KEY = {
  model: "oracle-70b",
  engine: "vllm",
  version: "0.21.0",
  cards: ["RTX 3090", "RTX 3090"],
  settings: "a1",
};
const measurement = (changes: Partial<NewMeasurement> = {}): NewMeasurement => ({
  ...KEY,
  service: "oracle",
  devices: [
    {
      device: "gpu-0",
      uuid: "GPU-1",
      predicted: { weights: 10e9, kvCache: 5e9, compute: 1e9, total: 16e9 },
      took: { weights: 10.1e9, kvCache: 4.9e9, total: 16.5e9 },
    },
  ],
  predictedKvTokens: 40_000,
  kvTokens: 39_000,
  loadTime: 61_000,
  ...changes,
});

test("come back as they were recorded: the newest of a kind, after a new start, and from another process", () => {
  const first = open();
  first.measurements.record(measurement({ loadTime: 1 }));
  const second = first.measurements.record(measurement());
  const other = first.measurements.record(measurement({ settings: "b2" }));
  first.measurements.amend(second.id, { tokensPerSecond: 412.5 });
  const whole = { ...second, tokensPerSecond: 412.5 };
  expect(first.measurements.latest(KEY)).toEqual(whole);
  expect(readMeasurements(folder)?.slice(0, 2)).toEqual([other, whole]);
  first.close();
  const { measurements } = open();
  expect(measurements.latest(KEY)).toEqual(whole);
  expect(measurements.all().map(({ id }) => id)).toEqual([3, 2, 1]);
  expect(measurements.latest({ ...KEY, cards: ["RTX 3090"] })).toBeUndefined();
  expect(measurements.record(measurement()).id).toBe(4);
});

test("are bounded by kind and altogether", () => {
  const retention = { measurements: { perKey: 3, all: 5 } };
  const { measurements } = open({ retention });
  for (let n = 0; n < 10; n++) measurements.record(measurement({ loadTime: n }));
  expect(measurements.all().map(({ loadTime }) => loadTime)).toEqual([9, 8, 7]);
  for (let n = 0; n < 10; n++) measurements.record(measurement({ model: `model-${n}` }));
  expect(readMeasurements(folder)?.map(({ model }) => model)).toEqual(
    [9, 8, 7, 6, 5].map((n) => `model-${n}`),
  );
});

test("a load takes as long as the middle one of the last five, of the same settings where there are any", () => {
  const { measurements } = open();
  expect(measurements.loadTimeOf(KEY)).toBeUndefined();
  for (const loadTime of [900_000, 10, 30, 20, 50, 40]) measurements.record(measurement({ loadTime }));
  measurements.record(measurement({ settings: "b2", loadTime: 7 }));
  expect(measurements.loadTimeOf(KEY)).toBe(30);
  expect(measurements.loadTimeOf({ ...KEY, settings: "b2" })).toBe(7);
  expect(measurements.loadTimeOf({ ...KEY, settings: "new" })).toBe(30);
  expect(measurements.loadTimeOf({ ...KEY, model: "another" })).toBeUndefined();
  expect(measurements.loadTimeOf({ service: "oracle" })).toBe(30);
  expect(measurements.loadTimeOf({ service: "another" })).toBeUndefined();
});

test("are held while the database is locked, without waiting, and written afterwards", () => {
  const { measurements } = open();
  const other = new DatabaseSync(join(folder, "omni.db"));
  other.exec("BEGIN IMMEDIATE");
  const before = performance.now();
  const held = measurements.record(measurement());
  expect(performance.now() - before).toBeLessThan(1000);
  expect(measurements.latest(KEY)).toEqual(held);
  expect(readMeasurements(folder)).toEqual([]);
  other.exec("COMMIT");
  other.close();
  measurements.record(measurement());
  expect(readMeasurements(folder)?.length).toBe(2);
});

test("what another version wrote otherwise is passed by", () => {
  open().measurements.record(measurement());
  const other = new DatabaseSync(join(folder, "omni.db"));
  other.exec("UPDATE measurements SET measured = '{\"devices\": 7}'");
  other.close();
  expect(readMeasurements(folder)).toEqual([]);
});

test("of a folder that no node used there are none; of a database from before there are none yet", () => {
  expect(readMeasurements(folder)).toBeUndefined();
  const old = new DatabaseSync(join(folder, "omni.db"));
  old.exec(
    `CREATE TABLE events (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, severity TEXT NOT NULL, kind TEXT NOT NULL,
       service TEXT, message TEXT NOT NULL, data TEXT) STRICT;
     INSERT INTO events VALUES (7, ${Date.now()}, 'info', 'a.b', NULL, 'from before', NULL); PRAGMA user_version = 1`,
  );
  old.close();
  expect(readMeasurements(folder)).toEqual([]);
  const store = open();
  expect(store.events.latest(1)[0]?.message).toBe("from before");
  store.measurements.record(measurement());
  expect(readMeasurements(folder)?.length).toBe(1);
});

test("of a file that is no database are refused by name", () => {
  writeFileSync(join(folder, "omni.db"), "no database\n".repeat(100));
  expect(() => readMeasurements(folder)).toThrow(OmniError);
  expect(() => readMeasurements(folder)).toThrow(/measurements in .*omni\.db cannot be read/);
});
