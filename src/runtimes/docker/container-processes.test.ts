import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { containerProcesses } from "./container-processes.ts";

const ID = "4f".repeat(32);
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-cgroups-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const ask = (pid: number): Promise<readonly number[]> =>
  containerProcesses(ID, pid, { proc: join(folder, "proc"), cgroups: join(folder, "cgroup") });

test("version 2: the scope of systemd and what the engine made below it", async () => {
  const scope = `system.slice/docker-${ID}.scope`;
  write("proc/41/cgroup", `0::/${scope}/inner\n`);
  write(`cgroup/${scope}/cgroup.procs`, "41\n42\n");
  write(`cgroup/${scope}/inner/cgroup.procs`, "43\n0\n");
  expect((await ask(41)).toSorted((a, b) => a - b)).toEqual([41, 42, 43]);
});

test("version 1: the first hierarchy that has it", async () => {
  write("proc/41/cgroup", `12:pids:/docker/${ID}\n5:memory:/docker/${ID}\n`);
  write(`cgroup/memory/docker/${ID}/cgroup.procs`, "41\n");
  expect(await ask(41)).toEqual([41]);
});

test("a number that belongs to another process here proves nothing", async () => {
  write("proc/41/cgroup", "0::/user.slice/session-1.scope\n");
  write("cgroup/user.slice/session-1.scope/cgroup.procs", "41\n");
  expect(await ask(41)).toEqual([]);
  expect(await ask(4040)).toEqual([]);
  expect(await ask(0)).toEqual([]);
});
