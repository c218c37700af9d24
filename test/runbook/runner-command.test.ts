import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { Readable } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runbookReport } from "../../src/runbook/index.ts";
import { readRunbook } from "../../src/store/index.ts";

const TOY = join(import.meta.dirname, "../fakes/toy-runbook-process.ts");
const CONSENT = ["--yes", "--consent", "unbind:GPU-1"];

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-apply-"));
});
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

interface Toy {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<number | null>;
}

const started: Toy[] = [];

/** Applies the toy runbook in a process of its own. */
function toy(...args: readonly string[]): Toy {
  const child = spawn(process.execPath, [TOY, folder, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (stdout += piece));
  child.stderr.setEncoding("utf8").on("data", (piece: string) => (stderr += piece));
  const ended = once(child, "close").then(() => child.exitCode);
  const run = { child, stdout: () => stdout, stderr: () => stderr, ended };
  started.push(run);
  return run;
}

/** Waits until a process has said something about its run. */
async function said(run: Toy, words: string): Promise<void> {
  while (!run.stderr().includes(words)) {
    if (run.child.exitCode !== null) throw new Error(`it ended without a word of ${words}: ${run.stderr()}`);
    await Promise.race([once(run.child.stderr, "data"), run.ended]);
  }
}

/** While this file is there, the step `guest/vm` waits. */
const hold = (): void => {
  mkdirSync(join(folder, "world"), { recursive: true });
  mkdirSync(join(folder, "world", "hold"));
};
const release = (): void => rmSync(join(folder, "world", "hold"), { recursive: true });

it("shows the plan and changes nothing, not even the journal", async () => {
  const run = toy("--dry-run");
  expect(await run.ended).toBe(0);
  expect(run.stdout()).toContain("→ --consent unbind:GPU-1");
  expect(run.stdout()).toContain("13 steps: 0 there, 13 to do, 1 of them with consent");
  expect(existsSync(join(folder, "state"))).toBe(false);
});

it("does nothing without a yes, and --yes agrees to nothing that needs consent", async () => {
  const asked = toy();
  expect(await asked.ended).toBe(3);
  expect(asked.stderr()).toContain("runbook.declined");
  expect(readRunbook(join(folder, "state"), "toy")).toEqual([]);
  const resumed = toy("--resume", "--yes");
  expect(await resumed.ended).toBe(2);
  expect(resumed.stderr()).toContain("runbook.no-run");
  const yes = toy("--yes", "--consent", "unbind:GPU-2");
  expect(await yes.ended).toBe(3);
  expect(yes.stderr()).toContain("--consent unbind:GPU-2: no step asked for it");
  expect(existsSync(join(folder, "world", "card-bind"))).toBe(false);
  expect(existsSync(join(folder, "world", "image-push"))).toBe(true);
  const again = toy("--resume", ...CONSENT);
  expect(await again.ended).toBe(0);
});

it("lets one run work at a time, and tells the second who it is and what it does", async () => {
  hold();
  const first = toy(...CONSENT);
  await said(first, "guest/vm: begins");
  const second = toy(...CONSENT);
  expect(await second.ended).toBe(3);
  expect(second.stderr()).toMatch(
    /runbook\.running[\s\S]*with process \d+ for [\s\S]*it is at: [\s\S]*guest\/vm/,
  );
  release();
  expect(await first.ended).toBe(0);
});

it("stops at Ctrl-C with everything written down, and goes on at the next run", async () => {
  hold();
  const first = toy(...CONSENT);
  await said(first, "guest/vm: begins");
  first.child.kill("SIGINT");
  expect(await first.ended).toBe(1);
  expect(first.stdout()).toContain(
    "acceptance/oracle: not executed, because the run was interrupted by SIGINT",
  );
  const [interrupted] = readRunbook(join(folder, "state"), "toy");
  expect(interrupted?.run.outcome).toBe("interrupted");
  release();
  expect(await toy("--resume", ...CONSENT).ended).toBe(0);
});

it("prints events and the result as JSON lines", async () => {
  const run = toy("--json", ...CONSENT);
  expect(await run.ended).toBe(0);
  const lines: readonly { readonly kind: string }[] = run
    .stdout()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines[0]?.kind).toBe("survey");
  expect(lines.at(-1)).toMatchObject({ kind: "result", outcome: "done" });
  expect(lines.map(({ kind }) => kind)).toContain("fallback");
});

it("reports from the journal alone", async () => {
  expect(await toy(...CONSENT).ended).toBe(0);
  const report = runbookReport("toy", readRunbook(join(folder, "state"), "toy"))
    .replaceAll(folder, "/toy")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "WHEN")
    .replaceAll(/\b[\d.]+ m?s\b/g, "TOOK")
    .replaceAll(/\S+@\S+(?= \(|\s\|)/g, "WHO");
  // Steps run side by side: the order of their commands is not the same in every run.
  const [told = "", commands = ""] = report.split("## Commands\n");
  await expect(told).toMatchFileSnapshot("report.golden.md");
  expect(commands).toContain("### `sh -c 'echo no such compiler >&2; exit 7'`");
  expect(commands).toContain("`engine/ktransformers`, on this machine, WHEN: exit status 7 after TOOK");
  expect(commands).toContain("```text\nno such compiler\n```");
});
