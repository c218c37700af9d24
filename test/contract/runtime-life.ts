import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { OmniError } from "../../src/core/index.ts";
import type { ProcessExit } from "../../src/engines/engine.ts";
import type { Unit } from "../../src/runtimes/index.ts";
import { eventually, isAlive } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import type { Behaviour } from "../fakes/fake-child.ts";
import type { Promised, RuntimeBench } from "./runtime-bench.ts";
import { answering, grandchildren, saying } from "./runtime-bench.ts";
import type { RuntimeSubject } from "./runtime-subject.ts";

const stopped = (subject: RuntimeSubject): ProcessExit => subject.stopped ?? { code: 0, signal: null };
const forced = (subject: RuntimeSubject): ProcessExit => subject.forced ?? { code: null, signal: "SIGKILL" };

/** From a start to an end under one Omni. */
export function lifeContract(promised: Promised): void {
  startAndStop(promised);
  linesWritten(promised);
  whatItStarted(promised);

  promised("secrets not inherited", async ({ launch, run }) => {
    process.env["OMNI_TEST_TOKEN"] = "secret";
    const unit = await run({
      ...(await launch({ printEnvironment: true })),
      environment: { CUDA_VISIBLE_DEVICES: "0" },
    });
    delete process.env["OMNI_TEST_TOKEN"];
    await eventually("the names are printed", () => unit.lastLines().length > 0);
    const names: unknown = JSON.parse(unit.lastLines()[0] ?? "[]");
    expect(names).toContain("PATH");
    expect(names).toContain("CUDA_VISIBLE_DEVICES");
    expect(names).not.toContain("OMNI_TEST_TOKEN");
  });

  promised("no such program", async ({ launch, runtime, folder }) => {
    const spec = await launch({});
    const error = await refusal(runtime.start({ ...spec, command: [join(folder, "no-such-engine")] }));
    expect(error.code).toBe("engine.no-binary");
    expect(error.message).toContain("no-such-engine");
    expect(await runtime.survivors()).toEqual([]);
  });

  promised("files before the start", async ({ launch, run, folder }) => {
    const path = join(folder, "deep/er/config.pbtxt");
    const spec = await launch({});
    await run({ ...spec, files: [{ path, content: "first", mode: 0o640 }] });
    expect(readFileSync(path, "utf8")).toBe("first");
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });
}

function startAndStop(promised: Promised): void {
  promised("reach and stop in order", async ({ launch, run, subject }) => {
    const spec = await launch({});
    const unit = await run(spec);
    const { service, address, digest } = spec;
    expect(unit).toMatchObject({ service, address, digest, adopted: false });
    expect(Math.abs(Date.now() - unit.startedAt)).toBeLessThan(60_000);
    if (unit.pid !== undefined) expect(isAlive(unit.pid)).toBe(true);
    await answering(unit.address, subject);
    expect(await unit.stop(20_000)).toEqual(stopped(subject));
    if (unit.pid !== undefined) expect(isAlive(unit.pid)).toBe(false);
    expect(await ask(unit.address, "/health")).toBeUndefined();
    expect(await unit.stop(20_000)).toEqual(stopped(subject));
  });

  promised("exit code and last words", async ({ start }) => {
    const unit = await start({ exitAfterLoad: 3, print: ["first", "last words"] });
    expect(await unit.exited).toEqual({ code: 3, signal: null });
    expect(unit.lastLines()).toEqual(["first", "last words"]);
  });

  promised("force at the deadline", async ({ startReady, subject }) => {
    const unit = await startReady({ ignoreTerm: true });
    const from = performance.now();
    expect(await unit.stop(300)).toEqual(forced(subject));
    expect(performance.now() - from).toBeGreaterThanOrEqual(290);
  });

  promised("a shorter deadline hurries", async ({ startReady, subject }) => {
    const unit = await startReady({ ignoreTerm: true });
    const first = unit.stop(600_000);
    await unit.stop(0);
    expect(await first).toEqual(forced(subject));
  });
}

function linesWritten(promised: Promised): void {
  promised("lines bounded", async ({ start }) => {
    const print = Array.from({ length: 1000 }, (_, n) => `line ${n}`);
    const many = await start({ print });
    await eventually("all lines are there", () => many.lastLines().at(-1) === "line 999");
    expect(many.lastLines().length).toBeLessThanOrEqual(200);
    await many.stop(0);
    const long = await start({ longLine: 1_000_000 });
    await eventually("the long line is there", () => long.lastLines().length > 0);
    expect(long.lastLines()[0]?.length).toBeLessThan(5000);
    expect(long.lastLines()[0]).toContain("characters cut");
  });

  promised("lines as they come", async ({ startReady, subject }) => {
    const unit = await startReady();
    const heard: string[] = [];
    const stopListening = unit.onLine((line) => heard.push(line));
    await saying(unit, subject, "one-more-line");
    await eventually("the line is heard", () => heard.some((line) => line.includes("one-more-line")));
    expect(unit.lastLines().some((line) => line.includes("one-more-line"))).toBe(true);
    stopListening();
    const before = heard.length;
    await saying(unit, subject, "unheard-line");
    await eventually("the line is kept", () =>
      unit.lastLines().some((line) => line.includes("unheard-line")),
    );
    expect(heard).toHaveLength(before);
  });
}

function whatItStarted(promised: Promised): void {
  const family: Behaviour = { grandchild: true, runawayGrandchild: process.platform === "linux" };

  const startFamily = async ({ startReady }: RuntimeBench): Promise<[Unit, readonly number[]]> => {
    const unit = await startReady(family);
    const count = family.runawayGrandchild === true ? 2 : 1;
    // What it wrote before it was ready may arrive after that.
    await eventually("it has started them", () => grandchildren(unit.lastLines()).length === count);
    return [unit, grandchildren(unit.lastLines())];
  };

  promised("grandchildren gone after a stop", async (bench) => {
    const [unit, started] = await startFamily(bench);
    expect(started.every(isAlive)).toBe(true);
    await unit.stop(20_000);
    await eventually("what it started is gone", () => !started.some(isAlive));
  });

  promised("grandchildren gone after a kill", async (bench) => {
    const [unit, started] = await startFamily(bench);
    expect(started.every(isAlive)).toBe(true);
    process.kill(unit.pid ?? 0, "SIGKILL");
    expect(await unit.exited).toEqual(forced(bench.subject));
    await eventually("what it started is gone", () => !started.some(isAlive));
  });

  promised("processes are named", async ({ startReady }) => {
    const unit = await startReady(family);
    const started = grandchildren(unit.lastLines());
    expect(await unit.processes()).toEqual(expect.arrayContaining([unit.pid, ...started]));
    await unit.stop(0);
    expect(await unit.processes()).toEqual([]);
  });
}

async function refusal(start: Promise<Unit>): Promise<OmniError> {
  const thrown: unknown = await start.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof OmniError) return thrown;
  throw new Error("no OmniError was thrown", { cause: thrown });
}
