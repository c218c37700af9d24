import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, isAlive } from "../../test/fakes/alive.ts";
import { LifeLine } from "./life-line.ts";
import { UnitRecords } from "./unit-records.ts";

let folder = "";
let records: UnitRecords;
const engines: ChildProcess[] = [];
const lines: LifeLine[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-life-"));
  records = new UnitRecords(folder);
});
afterEach(async () => {
  for (const line of lines.splice(0)) line.end();
  for (const engine of engines.splice(0)) engine.kill("SIGKILL");
  await sleep(20);
  rmSync(folder, { recursive: true, force: true });
});

const options = (unit: string, grace: number, onGuard: () => void = () => {}) => ({
  records,
  unit,
  grace,
  cgroup: undefined,
  onGuard,
});

/** An engine that ends at the end of its standard input (`cat`), or one that knows nothing of it. */
async function engine(unit: string, grace: number, words: readonly string[], onGuard?: () => void) {
  const line = await LifeLine.prepare(options(unit, grace, onGuard));
  lines.push(line);
  const input = line.engineInput();
  const [program = "", ...more] = words;
  const child = spawn(program, more, { stdio: [input, "ignore", "ignore"], detached: true });
  if (typeof input === "number") closeSync(input);
  engines.push(child);
  const pid = child.pid ?? 0;
  line.attach(pid);
  return { line, pid, ended: once(child, "exit") };
}

describe.skipIf(process.platform === "win32")("the life line", () => {
  test("an engine that reads its standard input lives through the change of Omni, not through its end", async () => {
    const { line, pid, ended } = await engine("u1", 60_000, ["cat"]);
    expect(line.lasts).toBe(true);
    line.release();
    const next = LifeLine.takeOver(options("u1", 300), pid);
    if (next === undefined) throw new Error("not taken over");
    lines.push(next);
    await sleep(100);
    expect(isAlive(pid)).toBe(true);
    next.release();
    await ended;
    await eventually("the guard has removed what it had", () => readdirSync(folder).length === 0);
  });

  test("a guard that is killed is replaced, and the new one ends the engine with Omni", async () => {
    let told = 0;
    const { line, pid, ended } = await engine("u2", 300, ["sleep", "1000"], () => told++);
    const first = line.guardPid ?? 0;
    process.kill(first, "SIGKILL");
    await eventually("there is another guard", () => told === 1);
    expect(line.guardPid).not.toBe(first);
    expect(isAlive(pid)).toBe(true);
    expect(records.claimTurn("u2")).toBe(2);
    line.release();
    await ended;
  });

  test("when guard and Omni are killed together, a later Omni still takes the engine over", async () => {
    const { line, pid } = await engine("u3", 60_000, ["sleep", "1000"]);
    const guard = line.guardPid ?? 0;
    line.release();
    process.kill(guard, "SIGKILL");
    const next = LifeLine.takeOver(options("u3", 60_000), pid);
    if (next === undefined) throw new Error("not taken over");
    lines.push(next);
    expect(next.lasts).toBe(true);
    expect(isAlive(pid)).toBe(true);
  });

  test("an engine that ends while there is no Omni leaves nothing behind", async () => {
    const { line, pid } = await engine("u4", 60_000, ["sleep", "1000"]);
    const guard = line.guardPid ?? 0;
    line.release();
    process.kill(pid, "SIGKILL");
    await eventually("the guard is gone", () => !isAlive(guard));
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a guard ends its engine even when its folder was removed", async () => {
    const { line, pid, ended } = await engine("u5", 300, ["sleep", "1000"]);
    rmSync(folder, { recursive: true });
    line.release();
    await ended;
    expect(isAlive(pid)).toBe(false);
  });

  test("taken over in the moment of the grace's end, an engine lives, or nobody believes that it does", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        const unit = `race${n}`;
        const { line, pid } = await engine(unit, 300, ["sleep", "1000"]);
        line.release();
        await sleep(250 + n * 10);
        const next = LifeLine.takeOver(options(unit, 60_000), pid);
        if (next !== undefined) lines.push(next);
        return { pid, taken: next !== undefined };
      }),
    );
    // Long enough for every guard that has lost to do what it must not.
    await sleep(1500);
    for (const { pid, taken } of outcomes) expect(isAlive(pid)).toBe(taken);
  });
});
