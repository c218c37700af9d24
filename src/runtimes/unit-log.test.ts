import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../test/fakes/alive.ts";
import { LOG_LIMITS } from "./log-limits.ts";
import { UnitLog, logHead } from "./unit-log.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-log-"));
  path = join(folder, "engine.log");
  writeFileSync(path, "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const size = (name: string): number => statSync(join(folder, name)).size;
const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `line ${from + n}`);

test("lines are heard as they are written, whole ones only, and the last one at the end", async () => {
  writeFileSync(path, "of an earlier start\n");
  const log = await UnitLog.follow(path, LOG_LIMITS);
  const heard: string[] = [];
  log.onLine((line) => heard.push(line));
  appendFileSync(path, "one\ntw");
  await eventually("the first is heard", () => heard.length === 1);
  appendFileSync(path, "o\nthree");
  await eventually("the second is heard", () => heard.length === 2);
  await log.close();
  expect(heard).toEqual(["one", "two", "three"]);
  expect(log.lastLines()).toEqual(["one", "two", "three"]);
});

test("a file that grows is moved away, bounded in size and number, and no line is lost on the way", async () => {
  const log = await UnitLog.follow(path, { fileBytes: 500, keep: 2 });
  const heard: string[] = [];
  log.onLine((line) => heard.push(line));
  // Like an engine: appends, and knows nothing of the emptying.
  const writer = openSync(path, "a");
  for (let from = 0; from < 200; from += 20) {
    writeSync(writer, numbered(from, from + 20).join("\n") + "\n");
    await eventually("they are heard", () => heard.length === from + 20);
    await eventually("it is small again", () => size("engine.log") <= 500);
  }
  closeSync(writer);
  await log.close();
  expect(heard).toEqual(numbered(0, 200));
  expect(readdirSync(folder).toSorted()).toEqual(["engine.log", "engine.log.1", "engine.log.2"]);
  for (const name of readdirSync(folder)) expect(size(name)).toBeLessThanOrEqual(700);
  const kept = [2, 1].map((n) => readFileSync(`${path}.${n}`, "utf8")).join("") + readFileSync(path, "utf8");
  const lines = kept.trimEnd().split("\n");
  expect(lines).toEqual(numbered(200 - lines.length, 200));
});

test("an Omni that comes later reads the tail of what the last start wrote, then goes on", async () => {
  const before = logHead("u0", new Date(0)) + "of an earlier start\n";
  writeFileSync(path, `${before}${logHead("u1", new Date(0))}${numbered(0, 30_000).join("\n")}\npart`);
  const log = await UnitLog.resume(path, LOG_LIMITS);
  expect(log.lastLines()).toEqual(numbered(29_800, 30_000));
  appendFileSync(path, "ial\n");
  await eventually("the further line is there", () => log.lastLines().at(-1) === "partial");
  await log.close();

  writeFileSync(path, `${before}${logHead("u1", new Date(0))}first\nsecond\n`);
  const short = await UnitLog.resume(path, LOG_LIMITS);
  await short.close();
  expect(short.lastLines()).toEqual(["first", "second"]);
});

test("a flood is passed over rather than read for ever, and a line says so", async () => {
  const log = await UnitLog.follow(path, { fileBytes: 1000, keep: 1 });
  const heard: string[] = [];
  log.onLine((line) => heard.push(line));
  const flood = 20_000 * 101;
  appendFileSync(path, `${"x".repeat(100)}\n`.repeat(20_000));
  await log.close();
  const passed = heard.map((line) => /^omni: (\d+) bytes of output were not read/.exec(line)?.[1]);
  const bytes = passed.reduce((sum, found) => sum + Number(found ?? 0), 0);
  const read = heard.filter((line) => line.startsWith("x")).reduce((sum, line) => sum + line.length + 1, 0);
  expect(bytes).toBeGreaterThan(flood / 2);
  // The line that the passing over cut in two is the shorter for it.
  expect(Math.abs(bytes + read - flood)).toBeLessThan(101);
  expect(log.lastLines()).toHaveLength(200);
  expect(size("engine.log")).toBe(0);
});

test("a file that somebody else emptied is read from its beginning", async () => {
  const log = await UnitLog.follow(path, LOG_LIMITS);
  appendFileSync(path, "a line that is rather long\n");
  await eventually("it is heard", () => log.lastLines().length === 1);
  truncateSync(path);
  await new Promise((resolve) => setTimeout(resolve, 50));
  appendFileSync(path, "short\n");
  await eventually("it is heard too", () => log.lastLines().at(-1) === "short");
  await log.close();
  expect(log.lastLines()).toEqual(["a line that is rather long", "short"]);
});

test("where no copy can be made, the file is bounded all the same", async () => {
  mkdirSync(`${path}.1`);
  const log = await UnitLog.follow(path, { fileBytes: 100, keep: 1 });
  appendFileSync(path, `${"y".repeat(300)}\n`);
  await log.close();
  expect(log.lastLines()).toEqual(["y".repeat(300)]);
  expect(size("engine.log")).toBe(0);
});
