import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readRunbook } from "../../src/store/index.ts";
import { ledgerLines } from "../fakes/toy-runbook.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const PRELOAD = join(ROOT, "test/fakes/kill-at-journal-write.ts");
const TOY = join(ROOT, "test/fakes/toy-runbook-process.ts");
const base = mkdtempSync(join(tmpdir(), "omni-kill-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

interface Ended {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const toy = (folder: string, environment: Readonly<Record<string, string>>): Promise<Ended> =>
  new Promise((done) => {
    const args = ["--import", PRELOAD, TOY, folder, "--yes", "--consent", "unbind:GPU-1"];
    const env = {
      ...process.env,
      NODE_COMPILE_CACHE: join(ROOT, "node_modules/.cache/omni"),
      ...environment,
    };
    const child = execFile(process.execPath, args, { env }, (_error, stdout, stderr) =>
      done({ code: child.exitCode ?? child.signalCode, stdout, stderr }),
    );
  });

/** Every file of the world with its text. */
const worldOf = (folder: string): readonly (readonly [name: string, text: string])[] =>
  readdirSync(join(folder, "world"))
    .filter((name) => name !== "ledger")
    .toSorted()
    .map((name) => [name, readFileSync(join(folder, "world", name), "utf8")]);

const stateOf = async (folder: string): Promise<unknown> => ({
  world: worldOf(folder),
  ledger: (await ledgerLines(join(folder, "world"))).toSorted(),
});

/** Kills a run at one write of its journal and runs it again; what is wrong afterwards. */
async function faultsOf(write: number, when: string, wanted: unknown): Promise<readonly string[]> {
  const folder = join(base, `${when}-${write}`);
  const killed = await toy(folder, { KILL_AT_WRITE: String(write), KILL_WHEN: when });
  // Steps run side by side, so runs differ by a few entries: a run that was over before has nothing to be killed at.
  if (killed.code !== "SIGKILL" && killed.code !== 0) return [`killed run ended with ${killed.code}`];
  const again = await toy(folder, {});
  const state = await stateOf(folder);
  const runs = readRunbook(join(folder, "state"), "toy").map(({ run }) => run.outcome);
  const faults = [
    again.code === 0 ? "" : `resumed run ended with ${again.code}: ${again.stderr}`,
    JSON.stringify(state) === JSON.stringify(wanted) ? "" : JSON.stringify(state),
    runs.at(-1) === "done" && !runs.includes(undefined) ? "" : `runs ended as ${runs.join(", ")}`,
  ].filter((fault) => fault !== "");
  rmSync(folder, { recursive: true, force: true });
  return faults.map((fault) => `${when} write ${write}: ${fault}`);
}

it("comes to the same end from a kill before and after writes of the journal, and repeats nothing", async () => {
  const whole = join(base, "whole");
  const count = join(base, "count");
  const first = await toy(whole, { COUNT_WRITES_TO: count });
  expect(first.stderr).toContain("llama.cpp takes the place of ktransformers");
  expect(first.code).toBe(0);
  const wanted = await stateOf(whole);
  expect(wanted).toMatchObject({ ledger: ["disk/format", "service/announce"] });
  const writes = Number(readFileSync(count, "utf8"));
  expect(writes).toBeGreaterThan(60);
  // Every write where that is asked for (npm run test:kill), every seventh otherwise.
  const stride = process.env["KILL_TESTS"] === "all" ? 1 : 7;
  const kills = Array.from({ length: Math.ceil(writes / stride) }, (_, index) => 1 + index * stride).flatMap(
    (write) => ["before", "after"].map((when) => ({ write, when })),
  );
  const faults: string[] = [];
  const queue = kills.values();
  const worker = async (): Promise<void> => {
    for (const { write, when } of queue) faults.push(...(await faultsOf(write, when, wanted)));
  };
  await Promise.all([worker(), worker()]);
  expect(faults).toEqual([]);
}, 900_000);
