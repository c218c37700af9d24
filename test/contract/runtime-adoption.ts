import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { ProcessExit } from "../../src/engines/engine.ts";
import type { Runtime, Unit } from "../../src/runtimes/index.ts";
import { eventually, isAlive } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import type { HostReport, Promised, RuntimeBench } from "./runtime-bench.ts";
import { LONG_GRACE, answering, grandchildren, saying } from "./runtime-bench.ts";
import type { RuntimeSubject } from "./runtime-subject.ts";

const UNTOLD: ProcessExit = { code: null, signal: null };
/** Milliseconds. */
const SHORT_GRACE = 1500;

/** From one Omni to the next. */
export function adoptionContract(promised: Promised): void {
  leftInOrder(promised);
  omniKilled(promised);
}

function leftInOrder(promised: Promised): void {
  promised("nothing survives that ended", async ({ startReady, runtime, next }) => {
    const unit = await startReady();
    await unit.stop(20_000);
    await runtime.close();
    expect(await next().survivors()).toEqual([]);
  });

  promised("survivors can be ended", async ({ startReady, runtime, next }) => {
    const unit = await startReady({ ignoreTerm: true, grandchild: true, ignoreLifeLine: true });
    const all = [...(await unit.processes())];
    await runtime.close({ keep: true });
    const later = next();
    const [survivor, ...more] = await later.survivors();
    expect(more).toEqual([]);
    expect(survivor).toMatchObject({ id: unit.id, service: "oracle", digest: unit.digest });
    await survivor?.end();
    expect(await ask(unit.address, "/health")).toBeUndefined();
    await eventually("all of it is gone", () => !all.some(isAlive));
    expect(await later.survivors()).toEqual([]);
  });

  promised("left to the next and adopted", async (bench) => {
    const { subject, startReady, runtime, next } = bench;
    const unit = await startReady();
    await runtime.close({ keep: true });
    const adopted = await adoptOne(bench, next());
    const { id, service, address, digest, startedAt } = unit;
    expect(adopted).toMatchObject({ id, service, address, digest, startedAt, adopted: true });
    expect(adopted.pid).toBe(unit.pid);
    await answering(adopted.address, subject);
    await furtherLine(adopted, subject);
    expect(await adopted.stop(20_000)).toEqual(subject.adoptedStopped ?? UNTOLD);
    expect(await ask(adopted.address, "/health")).toBeUndefined();
    expect(await next().survivors()).toEqual([]);
  });

  promised("adopted twice", async (bench) => {
    const { subject, startReady, runtime, next } = bench;
    const unit = await startReady({ ignoreTerm: true, print: ["first words"] });
    await runtime.close({ keep: true });
    const second = next();
    const once = await adoptOne(bench, second);
    await second.close({ keep: true });
    const again = await adoptOne(bench, next());
    expect(again).toMatchObject({ id: unit.id, address: unit.address, digest: once.digest, adopted: true });
    await answering(again.address, subject);
    await furtherLine(again, subject);
    expect(await again.stop(200)).toEqual(subject.adoptedForced ?? UNTOLD);
    expect(await ask(again.address, "/health")).toBeUndefined();
  });

  promised("an adopted engine's end is noticed", async (bench) => {
    const { startReady, runtime, next } = bench;
    const unit = await startReady({ grandchild: true, print: ["first words"] });
    await eventually("it has started something", () => grandchildren(unit.lastLines()).length === 1);
    const started = grandchildren(unit.lastLines());
    await runtime.close({ keep: true });
    const later = next();
    const adopted = await adoptOne(bench, later);
    await eventually("the earlier lines are there", () => adopted.lastLines().includes("first words"));
    await ask(adopted.address, "/exit?code=3");
    await adopted.exited;
    expect(await adopted.processes()).toEqual([]);
    await eventually("what it started is gone", () => !started.some(isAlive));
    expect(await later.survivors()).toEqual([]);
  });
}

function omniKilled(promised: Promised): void {
  promised("omni killed, adopted", async (bench) => {
    const { subject, host, killHost, next } = bench;
    const before = await host(LONG_GRACE);
    await killHost();
    const adopted = await adoptOne(bench, next());
    expectSame(adopted, before);
    await answering(adopted.address, subject);
    await furtherLine(adopted, subject);
    await adopted.stop(20_000);
    await eventually("all of it is gone", () => !before.processes.some(isAlive));
  });

  promised("omni killed twice, adopted twice", async (bench) => {
    const { subject, host, killHost, next } = bench;
    const before = await host(LONG_GRACE);
    await killHost();
    const second = await host(LONG_GRACE);
    expect(second).toMatchObject({ id: before.id, adopted: true, digest: before.digest });
    await killHost();
    const adopted = await adoptOne(bench, next());
    expectSame(adopted, before);
    await answering(adopted.address, subject);
    await adopted.stop(0);
    await eventually("all of it is gone", () => !before.processes.some(isAlive));
  });

  promised("omni killed, nobody adopts", async ({ host, killHost, next }) => {
    const family = { grandchild: true, runawayGrandchild: process.platform === "linux" };
    const { processes, address } = await host(SHORT_GRACE, {
      ...family,
      ignoreTerm: true,
      ignoreLifeLine: true,
    });
    expect(processes.length).toBeGreaterThan(0);
    await killHost();
    await sleep(SHORT_GRACE / 10);
    expect(processes.some(isAlive)).toBe(true);
    await eventually("all of it is gone", () => !processes.some(isAlive));
    expect(await ask(address, "/health")).toBeUndefined();
    expect(await next().survivors()).toEqual([]);
  });
}

async function adoptOne({ owned }: RuntimeBench, runtime: Runtime): Promise<Unit> {
  const survivors = await runtime.survivors();
  expect(survivors).toHaveLength(1);
  const unit = await survivors[0]?.adopt();
  if (unit === undefined) throw new Error("there is nothing to adopt");
  return owned(unit);
}

function expectSame(adopted: Unit, { id, digest, address, pid }: HostReport): void {
  expect(adopted).toMatchObject({ id, digest, address, adopted: true });
  expect(adopted.pid).toBe(pid);
}

async function furtherLine(unit: Unit, subject: RuntimeSubject): Promise<void> {
  if (subject.NOT_SUPPORTED["lines as they come"] !== undefined) return;
  await saying(unit, subject, "further-line");
  await eventually("a further line arrives", () =>
    unit.lastLines().some((line) => line.includes("further-line")),
  );
}
