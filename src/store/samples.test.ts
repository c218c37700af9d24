import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SampledReading, Store } from "./index.ts";
import { openStore } from "./index.ts";

const WRITER = fileURLToPath(new URL("../../test/fakes/sample-writer.ts", import.meta.url));
/** A whole number of days, so that steps begin where they look as if they did. */
const T0 = 20_000 * 86_400_000;
const HOUR = 3_600_000;
const CARD = "GPU-1";

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
  folder = mkdtempSync(join(tmpdir(), "omni-samples-"));
});
afterEach(() => {
  for (const store of opened) store.close();
  opened = [];
  rmSync(folder, { recursive: true, force: true });
});

const host = { memoryAvailable: 8e9, disks: [{ free: 5e9 }, { free: 2e9 }] };
const reading = (time: number, card: Partial<SampledReading["cards"][0]> = {}): SampledReading => ({
  time,
  cards: [{ uuid: CARD, ...card }],
  host,
});

describe("the history of a card", () => {
  test("is of ten seconds: average, least and most of what was told in them; what was lost or old does not count", () => {
    const { samples } = open();
    const told = [
      { memoryUsed: 100, temperature: 50, throttled: [] },
      { memoryUsed: 200, temperature: 60, throttled: ["power-cap"] },
      { memoryUsed: 600 },
      { memoryUsed: 9999, lost: { since: 1 } },
      { memoryUsed: 9999, asOf: 1 },
    ];
    for (const [n, card] of told.entries()) samples.record(reading(T0 + n * 1000, card));
    const expected = {
      time: T0,
      looks: 3,
      lost: 1,
      throttled: 1,
      memoryUsed: { average: 300, min: 100, max: 600 },
      temperature: { average: 55, min: 50, max: 60 },
    };
    // Before it is written and after.
    expect(samples.history(CARD, T0, T0 + HOUR, 10_000)).toEqual([expected]);
    samples.record(reading(T0 + 10_000, { memoryUsed: 1 }));
    expect(samples.history(CARD, T0, T0 + 10_000, 10_000)).toEqual([expected]);
    expect(samples.hostHistory(T0, T0 + 10_000, 10_000)).toEqual([
      {
        time: T0,
        looks: 5,
        memoryAvailable: { average: 8e9, min: 8e9, max: 8e9 },
        diskFree: { average: 2e9, min: 2e9, max: 2e9 },
      },
    ]);
    expect(samples.history("GPU-2", T0, T0 + HOUR, 10_000)).toEqual([]);
  });

  test("put together is what the looks themselves give, in whatever steps, written or not", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 400 }),
        fc.constantFrom(10_000, 60_000, 300_000, 900_000),
        (values, step) => {
          rmSync(folder, { recursive: true, force: true });
          const store = openStore(folder);
          for (const [n, memoryUsed] of values.entries())
            store.samples.record(reading(T0 + n * 4000, { memoryUsed }));
          const points = store.samples.history(CARD, T0, T0 + HOUR, step);
          store.close();
          const slots = Map.groupBy(values.entries(), ([n]) => Math.floor((n * 4000) / step) * step);
          expect(points.map(({ time }) => time)).toEqual([...slots.keys()].map((slot) => T0 + slot));
          for (const [i, slot] of [...slots.values()].entries()) {
            const of = slot.map(([, value]) => value);
            expect(points[i]?.looks).toBe(of.length);
            expect(points[i]?.memoryUsed?.min).toBe(Math.min(...of));
            expect(points[i]?.memoryUsed?.max).toBe(Math.max(...of));
            expect(points[i]?.memoryUsed?.average).toBeCloseTo(of.reduce((a, b) => a + b) / of.length, 6);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test("goes on after a new start, within the same ten seconds too", () => {
    const first = open();
    first.samples.record(reading(T0, { memoryUsed: 100 }));
    first.close();
    const second = open();
    second.samples.record(reading(T0 + 5000, { memoryUsed: 400 }));
    second.samples.record(reading(T0 + 6000, { memoryUsed: 400 }));
    second.samples.record(reading(T0 + 20_000, {}));
    expect(second.samples.history(CARD, T0, T0 + 10_000, 10_000)).toMatchObject([
      { looks: 3, memoryUsed: { average: 300, min: 100, max: 400 } },
    ]);
  });

  test("is fine for as long as that is kept, coarse for longer, and not at all after that", () => {
    const { samples } = open({ retention: { samples: { fine: HOUR, coarse: 10 * HOUR, rows: 1e6 } } });
    for (let t = 0; t < 20 * HOUR; t += 50_000) samples.record(reading(T0 + t, { memoryUsed: t }));
    const end = T0 + 20 * HOUR;
    const all = samples.history(CARD, T0, end, 300_000);
    expect((end - (all[0]?.time ?? 0)) / HOUR).toBeCloseTo(10, 0);
    expect(all.map(({ looks }) => looks).slice(0, -1)).toEqual(Array(all.length - 1).fill(6));
    expect(samples.history(CARD, end - HOUR, end, 10_000)).toHaveLength(72);
    const database = new DatabaseSync(join(folder, "omni.db"), { readOnly: true });
    const count = (step: number): number =>
      Number(database.prepare("SELECT count(*) AS n FROM card_samples WHERE step = ?").get(step)?.["n"]);
    expect(count(10_000)).toBeLessThanOrEqual(72 + 12);
    expect(count(300_000)).toBeLessThanOrEqual(121);
    database.close();
    // Whatever is asked for, no answer is boundless.
    expect(samples.history(CARD, 0, end, 1).length).toBeLessThanOrEqual(2000);
    const mixed = samples.history(CARD, end - 3 * HOUR, end, 10_000);
    expect(mixed.reduce((sum, { looks }) => sum + looks, 0)).toBe(3 * 72);
  });

  test("has a bound in rows whatever names a driver gives", () => {
    const { samples } = open({ retention: { samples: { fine: 1e12, coarse: 1e12, rows: 200 } } });
    for (let n = 0; n < 1500; n++)
      samples.record({ time: T0 + n * 10_000, cards: [{ uuid: `GPU-${n}` }], host });
    // Once an hour all is looked through: an hour of rows may come on top.
    samples.record(reading(T0 + 1500 * 10_000 + 24 * HOUR, {}));
    samples.record(reading(T0 + 1500 * 10_000 + 48 * HOUR, {}));
    const database = new DatabaseSync(join(folder, "omni.db"), { readOnly: true });
    const rows = Number(database.prepare("SELECT count(*) AS n FROM card_samples").get()?.["n"]);
    const names = Number(database.prepare("SELECT count(*) AS n FROM sample_subjects").get()?.["n"]);
    database.close();
    expect(rows).toBeLessThan(2 * 200 + 400);
    expect(names).toBeLessThan(2 * 200 + 400);
  });

  test("of a clock that jumped forwards and back goes on as before", () => {
    const { samples } = open();
    const far = T0 + 20 * 365 * 86_400_000;
    for (let n = 0; n < 60; n++) samples.record(reading(T0 + n * 10_000, { memoryUsed: 1 }));
    samples.record(reading(far, { memoryUsed: 7 }));
    for (let n = 60; n < 120; n++) samples.record(reading(T0 + n * 10_000, { memoryUsed: 3 }));
    samples.record(reading(T0 + HOUR, {}));
    expect(samples.history(CARD, T0 + 600_000, T0 + 1_200_000, 300_000)).toMatchObject([
      { time: T0 + 600_000, looks: 30, memoryUsed: { average: 3 } },
      { time: T0 + 900_000, looks: 30, memoryUsed: { average: 3 } },
    ]);
    expect(samples.history(CARD, far - HOUR, far + HOUR, 10_000)).toEqual([]);
  });
});

describe("a database that cannot be written", () => {
  test("because another process holds it: nothing waits, nothing is lost, all is written afterwards", () => {
    const { samples } = open();
    const other = new DatabaseSync(join(folder, "omni.db"));
    other.exec("BEGIN IMMEDIATE");
    const before = performance.now();
    for (let n = 0; n < 30; n++) samples.record(reading(T0 + n * 10_000, { memoryUsed: n }));
    expect(performance.now() - before).toBeLessThan(1000);
    expect(samples.history(CARD, T0, T0 + HOUR, 10_000)).toHaveLength(30);
    other.exec("COMMIT");
    samples.record(reading(T0 + 300_000, {}));
    const written = other.prepare("SELECT count(*) AS n FROM card_samples WHERE step = 10000").get();
    expect(written?.["n"]).toBe(30);
    other.close();
  });

  test("because the disk is full: what is held has a bound", () => {
    const { samples } = open();
    const other = new DatabaseSync(join(folder, "omni.db"));
    other.exec(
      "CREATE TRIGGER full BEFORE INSERT ON host_samples BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    for (let n = 0; n < 1000; n++) samples.record(reading(T0 + n * 10_000, { memoryUsed: n }));
    const held = samples.history(CARD, T0, T0 + 3 * HOUR, 10_000);
    expect(held).toHaveLength(361);
    expect(held.at(-1)?.memoryUsed?.average).toBe(999);
    other.exec("DROP TRIGGER full");
    other.close();
  });
});

test("a node that is killed in the middle leaves whole batches: every ten seconds with all cards or none", async () => {
  const writer = spawn(process.execPath, [WRITER, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface(writer.stdout);
  let told = 0;
  await new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      told = Number(line);
      if (told >= 100) resolve();
    });
  });
  writer.kill("SIGKILL");
  await Promise.all([once(writer, "exit"), once(lines, "close")]);
  const { samples } = open();
  expect(samples.history("GPU-0", 0, 1e15, 10_000).length).toBeGreaterThan(0);
  const database = new DatabaseSync(join(folder, "omni.db"), { readOnly: true });
  const odd = database
    .prepare("SELECT time FROM card_samples WHERE step = 10000 GROUP BY time HAVING count(*) <> 8")
    .all();
  const batches = database
    .prepare("SELECT count(DISTINCT time) AS n FROM card_samples WHERE step = 10000")
    .get();
  database.close();
  expect(odd).toEqual([]);
  // All but the one that was being gathered.
  expect(Number(batches?.["n"])).toBeGreaterThanOrEqual(told - 1);
});

test("a full history of one card is some megabytes", () => {
  const { samples } = open();
  for (let n = 0; n < 2000; n++)
    samples.record(
      reading(T0 + n * 10_000, { memoryUsed: 20e9 + n, utilization: 0.5, temperature: 60, power: 300.5 }),
    );
  opened[0]?.close();
  const perRow = statSync(join(folder, "omni.db")).size / 4000;
  // Card and machine: 100 000 rows of either kind and table would be below 60 MB.
  expect(perRow).toBeLessThan(150);
});
