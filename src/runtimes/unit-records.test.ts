import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UnitRecords } from "./unit-records.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-units-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a process that merely has the number of an engine of old is left alone", async () => {
  const innocent = spawn("sleep", ["100"], { stdio: "ignore", detached: true });
  try {
    const record = { unit: "u1", service: "oracle", pid: innocent.pid, identity: "an earlier boot:17" };
    writeFileSync(join(folder, "u1.json"), JSON.stringify(record));
    expect(await new UnitRecords(folder).sweep()).toEqual([]);
    expect(innocent.exitCode ?? innocent.signalCode).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    innocent.kill("SIGKILL");
  }
});

test("a record half written is dropped", async () => {
  writeFileSync(join(folder, "u2.json"), `{"unit":"u2","serv`);
  writeFileSync(join(folder, "u3.json"), "null");
  expect(await new UnitRecords(folder).sweep()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
