import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LOG_LIMITS, RotatingLog } from "./rotating-log.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lines = (name: string): string[] => readFileSync(join(folder, name), "utf8").trimEnd().split("\n");

test("every line is there with its time, also after a reopening", async () => {
  const path = join(folder, "engine.log");
  const first = new RotatingLog(path);
  first.write("one");
  first.write("two");
  await first.close();
  const second = new RotatingLog(path);
  second.write("three");
  await second.close();
  expect(lines("engine.log").map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, ""))).toEqual([
    "one",
    "two",
    "three",
  ]);
});

test("files are bounded in size and number, the newest lines last", async () => {
  const log = new RotatingLog(join(folder, "engine.log"), { ...LOG_LIMITS, fileBytes: 500, keep: 2 });
  for (let n = 0; n < 100; n++) {
    log.write(`line ${n}`);
    // An engine that crashes again and again opens the file anew each time.
    if (n % 5 === 0) await log.close();
  }
  await log.close();
  expect(readdirSync(folder).toSorted()).toEqual(["engine.log", "engine.log.1", "engine.log.2"]);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(500);
  expect(lines("engine.log").at(-1)).toMatch(/line 99$/);
});

test("a flood is dropped rather than kept in memory, and the log says how much", async () => {
  const log = new RotatingLog(join(folder, "engine.log"), { ...LOG_LIMITS, waitingBytes: 1000 });
  for (let n = 0; n < 10_000; n++) log.write(`line ${n}`);
  await log.close();
  const dropped = /omni: (\d+) lines were dropped/.exec(lines("engine.log").at(-1) ?? "")?.[1];
  expect(Number(dropped) + lines("engine.log").length - 1).toBe(10_000);
});

test("a place that cannot be written harms nobody", async () => {
  const log = new RotatingLog(join(folder, "missing", "engine.log"));
  log.write("one");
  await expect(log.close()).resolves.toBeUndefined();
});
