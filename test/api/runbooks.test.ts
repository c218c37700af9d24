import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OPERATIONS } from "../../src/api/contract/index.ts";
import { runbookEndpoints } from "../../src/api/endpoints/index.ts";
import { createRedactor, openJournal } from "../../src/runbook/index.ts";
import { openRunbookBook } from "../../src/store/index.ts";
import { databasePath } from "../../src/store/state-paths.ts";
import { eventually, temporaryFolder } from "../e2e/run-node.ts";
import { startEndpoints } from "../fakes/endpoint-server.ts";
import type { EndpointServer } from "../fakes/endpoint-server.ts";
import { strictShape } from "./strict-shape.ts";

const PROGRAM = resolve(import.meta.dirname, "../fakes/toy-runbook-process.ts");
const folder = temporaryFolder();
const state = join(folder.path, "state");
const world = join(folder.path, "world");
let server: EndpointServer;
beforeAll(async () => {
  server = await startEndpoints(runbookEndpoints(state));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder.remove();
});

const ask = async (path: string): Promise<{ readonly status: number; readonly body: unknown }> => {
  const answer = await fetch(`${server.url}/api/runbooks${path}`);
  const body: unknown = await answer.json();
  return { status: answer.status, body };
};

async function runs() {
  const { body } = await ask("");
  expect(strictShape(OPERATIONS["GET /api/runbooks"].answer)(body)).toEqual([]);
  return OPERATIONS["GET /api/runbooks"].answer.parse(body).runs;
}

async function detail(run: number) {
  const { body } = await ask(`/toy/${run}`);
  expect(strictShape(OPERATIONS["GET /api/runbooks/{spec}/{run}"].answer)(body)).toEqual([]);
  return OPERATIONS["GET /api/runbooks/{spec}/{run}"].answer.parse(body);
}

const apply = (...args: readonly string[]) =>
  spawn(process.execPath, [PROGRAM, folder.path, ...args], { stdio: "ignore" });

const CONSENT = ["--yes", "--consent", "unbind:GPU-1"];

it("has nothing where nothing was applied, and says so of a run, a report and what is no path of it", async () => {
  expect(await ask("")).toEqual({ status: 200, body: { runs: [] } });
  const missing = (code: string) => ({ status: 404, body: { error: expect.objectContaining({ code }) } });
  for (const path of ["/toy/1", "/toy/report", "/__proto__/1", "/%2e%2e%2f%2e%2e%2fomni/report"])
    expect(await ask(path)).toEqual(missing("unknown_run"));
  for (const path of ["/toy", "/toy/", "/toy//report", "/toy/1/2", "/%zz/1"])
    expect(await ask(path)).toEqual(missing("unknown_path"));
});

it("shows a run while it is at work, and its steps with what proves them when it has ended", async () => {
  mkdirSync(world, { recursive: true });
  mkdirSync(join(world, "hold"));
  const process = apply(...CONSENT);
  const ended = once(process, "close");
  await eventually(async () => {
    const [first] = await runs();
    if (first?.active !== true) return false;
    const { steps } = await detail(first.id);
    return steps.some(({ id, state: how }) => id === "guest/vm" && how === "at work");
  });
  rmSync(join(world, "hold"), { recursive: true });
  await ended;

  const [run, ...others] = await runs();
  expect(others).toEqual([]);
  expect(run).toMatchObject({ spec: "toy", active: false, ended: expect.any(Number) });
  const { steps, notes: more, lastSeq } = await detail(run?.id ?? 0);
  expect(lastSeq).toBeGreaterThan(steps.length);
  const step = (id: string) => steps.find((one) => one.id === id);
  expect(step("kernel/pin")).toMatchObject({
    phase: "metal",
    state: "done",
    evidence: [expect.stringContaining("has 10 bytes")],
    commands: [{ argv: expect.arrayContaining(["kernel/pin"]), ended: 0 }],
  });
  expect(step("card/bind")?.notes).toEqual([expect.stringContaining("Takes the card GPU-1")]);
  expect(step("model/projector")).toMatchObject({
    state: "done",
    notes: [expect.stringContaining("Attempt 1 failed: the connection was cut")],
  });
  expect(more.join("\n")).toContain("engine/ktransformers: llama.cpp takes the place of ktransformers");

  const report = await ask("/toy/report");
  expect(strictShape(OPERATIONS["GET /api/runbooks/{spec}/report"].answer)(report.body)).toEqual([]);
  expect(report.body).toMatchObject({ markdown: expect.stringContaining("# Definition of done: toy") });
});

it("tells drift as a note of the step, newest run first", async () => {
  rmSync(join(world, "image-build"));
  await once(apply(...CONSENT), "close");
  const [newest, oldest] = await runs();
  expect(newest?.id).toBeGreaterThan(oldest?.id ?? 0);
  const { steps } = await detail(newest?.id ?? 0);
  const build = steps.find(({ id }) => id === "image/build");
  expect(build).toMatchObject({ state: "done", notes: [expect.stringContaining("is not any more")] });
});

it("reads a journal of many megabytes while it answers others, and answers little of it", async () => {
  const book = openRunbookBook(state);
  const { id } = book.begin({ spec: "large", pid: process.pid, by: "test", begun: Date.now() });
  const journal = openJournal(book, id, createRedactor());
  const step = { id: "image/build", phase: "image", title: "Builds", asked: "models" } as const;
  journal.write({ kind: "plan", steps: [step] });
  const noise = "0123456789abcdef\n".repeat(3700);
  const ran = { step: step.id, command: 0, host: "here", argv: ["make", "x".repeat(9000)] };
  journal.write({ kind: "command", ...ran, ended: 0, stdout: noise, stderr: "", duration: 1 });
  book.close();
  const database = new DatabaseSync(databasePath(state));
  database
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
       INSERT INTO runbook_journal (run, time, kind, step, data)
       SELECT run, time, kind, step, json_set(data, '$.command', i) FROM runbook_journal, n
       WHERE run = ? AND kind = 'command'`,
    )
    .run(id);
  database.close();
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  const { body } = await ask(`/large/${id}`);
  const reported = await ask("/large/report");
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
  expect(strictShape(OPERATIONS["GET /api/runbooks/{spec}/{run}"].answer)(body)).toEqual([]);
  const read = OPERATIONS["GET /api/runbooks/{spec}/{run}"].answer.parse(body);
  expect(read.steps[0]?.commands).toHaveLength(100);
  expect(JSON.stringify(body).length).toBeLessThan(1_500_000);
  expect(JSON.stringify(reported.body).length).toBeLessThan(5_000_000);
});
