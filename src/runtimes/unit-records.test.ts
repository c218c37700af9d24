import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAlive } from "../../test/fakes/alive.ts";
import { findSurvivors } from "./survivors.ts";
import type { UnitRecord } from "./unit-records.ts";
import { UnitRecords } from "./unit-records.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-units-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const recorded = (changes: Partial<UnitRecord>): UnitRecord => ({
  unit: "u1",
  service: "oracle",
  pid: 1,
  identity: "an earlier boot:17",
  digest: "d",
  address: { kind: "tcp", host: "127.0.0.1", port: 1 },
  startedAt: 0,
  ...changes,
});
const survivors = (own: readonly string[] = []) =>
  findSurvivors(new UnitRecords(folder), new Set(own), () => Promise.resolve(undefined));

test("a process that merely has the number of an engine of old is left alone", async () => {
  const innocent = spawn("sleep", ["100"], { stdio: "ignore", detached: true });
  try {
    const records = new UnitRecords(folder);
    records.makeClaim("u1");
    records.write(recorded({ pid: innocent.pid ?? 0, guard: { pid: innocent.pid ?? 0, identity: "other" } }));
    expect(await survivors()).toEqual([]);
    expect(innocent.exitCode ?? innocent.signalCode).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    innocent.kill("SIGKILL");
  }
});

test("a record half written is dropped", async () => {
  writeFileSync(join(folder, "u2.json"), `{"unit":"u2","serv`);
  writeFileSync(join(folder, "u3.json"), "null");
  writeFileSync(join(folder, "u4.json.new"), `{"unit`);
  expect(await survivors()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test.runIf(process.platform === "linux")(
  "an engine that was started but not yet recorded is found by its mark and ended",
  async () => {
    const engine = spawn("sleep", ["100"], { stdio: "ignore", env: { ...process.env, OMNI_UNIT: "u5" } });
    const ended = once(engine, "exit");
    new UnitRecords(folder).makeClaim("u5");
    expect(await survivors(["u5"])).toEqual([]);
    expect(isAlive(engine.pid ?? 0)).toBe(true);
    expect(await survivors()).toEqual([]);
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(readdirSync(folder)).toEqual([]);
  },
);

test("a claim has one winner", () => {
  const records = new UnitRecords(folder);
  records.makeClaim("u1");
  expect(records.claimTurn("u1")).toBe(1);
  expect(records.takeClaim("u1", 1, 2)).toBe(true);
  expect(records.takeClaim("u1", 1, "ending")).toBe(false);
  expect(records.claimTurn("u1")).toBe(2);
  expect(records.takeClaim("u1", 2, "ending")).toBe(true);
  expect(records.claimTurn("u1")).toBeUndefined();
  expect(records.takeClaim("u1", 2, 3)).toBe(false);
});
