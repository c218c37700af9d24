import { afterEach, describe, expect, test } from "vitest";
import type { PlannedService } from "../../src/plan/plan.ts";
import type { CardIdentity } from "../../src/supervisor/index.ts";
import { eventually } from "../fakes/alive.ts";
import { fakeService } from "../fakes/fake-driver.ts";
import { FakeWatch } from "../fakes/fake-watch.ts";
import type { Supervised } from "../fakes/supervised.ts";
import { supervise } from "../fakes/supervised.ts";

const GIB = 2 ** 30;
const CARDS: ReadonlyMap<string, CardIdentity> = new Map([["gpu0", { name: "Fake 10G", uuid: "GPU-0" }]]);
const LIFECYCLE = {
  priority: 5,
  pinned: false,
  after: [],
  drainTimeout: 1000,
  warmUp: false,
  strategy: "recreate",
} as const;

let node: Supervised;
afterEach(() => node.end());

const on = (devices: readonly string[], gib = 4): Partial<PlannedService> => ({
  devices,
  memory: devices.map((device) => ({
    device,
    weights: gib * GIB,
    kvCache: 0,
    compute: 0,
    overhead: 0,
    total: gib * GIB,
    capacity: 10 * GIB,
  })),
});
const after = (...names: readonly string[]): Partial<PlannedService> => ({
  lifecycle: { ...LIFECYCLE, after: names },
});
const view = (name: string) => node.supervisor.services().find((service) => service.name === name);
/** Kinds and services of the events, in order: `oracle ready`. */
const story = (): string[] =>
  node.events.events.flatMap(({ kind, service }) =>
    kind === "service.loading" ? [] : [`${service ?? ""} ${kind.replace(/^service\./, "")}`],
  );
const at = (line: string): number => story().indexOf(line);
const event = (kind: string) => node.events.events.find((one) => one.kind === kind);

describe("services", () => {
  test("start after those that come before them, and say so", async () => {
    node = supervise([
      fakeService("web", {}, after("oracle", "scribe")),
      fakeService("scribe", {}, after("oracle")),
      fakeService("oracle", { load: 200 }),
    ]);
    await node.supervisor.start();
    expect(await node.ready("web")).toBe(true);
    expect(at("oracle ready")).toBeLessThan(at("scribe starting"));
    expect(at("scribe ready")).toBeLessThan(at("web starting"));
    expect(event("service.queued")?.message).toContain("waits for its turn to start: oracle has to be ready");
  });

  test("whose predecessor failed for good wait, and say for whom", async () => {
    node = supervise([fakeService("oracle", { exitAfterLoad: 2 }), fakeService("web", {}, after("oracle"))]);
    await node.supervisor.start();
    expect(await node.ready("oracle")).toBe(false);
    await eventually("web tells", () => view("web")?.reason === "oracle, which comes before it, is failed.");
    expect(view("web")?.state).toBe("queued");
  });

  test("start one at a time on a card, and together on different ones", async () => {
    const one = fakeService("one", { load: 300 }, on(["gpu0"]));
    const two = fakeService("two", { load: 300 }, on(["gpu0", "gpu1"]));
    const three = fakeService("three", { load: 300 }, on(["gpu1"]));
    const four = fakeService("four", { load: 300 }, on(["gpu2"]));
    node = supervise([one, two, three, four]);
    await node.supervisor.start();
    await Promise.all(["one", "two", "three", "four"].map((name) => node.ready(name)));
    expect(at("one ready")).toBeLessThan(at("two starting"));
    expect(at("two ready")).toBeLessThan(at("three starting"));
    expect(at("four starting")).toBeLessThan(at("one ready"));
    expect(node.events.events.map(({ message }) => message)).toContain(
      "two waits for its turn to start: one starts on gpu0 first.",
    );
  });
});

describe("memory of a card", () => {
  const timing = { memoryFirst: 20, memorySlowest: 40, memoryPatience: 100 };

  test("that is taken keeps a start back until it is really free, and who holds it is told", async () => {
    const watch = new FakeWatch(["GPU-0"]);
    watch.take("GPU-0", 9);
    // Loading takes so long that time is left of it when it is looked at, also on a busy machine.
    const measured = { record: () => undefined, loadTime: () => 600_000 };
    node = supervise([fakeService("oracle", {}, on(["gpu0"]))], { watch, cards: CARDS, timing, measured });
    await node.supervisor.start();
    await eventually("the wait is told", () => event("service.memory-taken") !== undefined);
    expect(view("oracle")).toMatchObject({ state: "queued", eta: expect.any(Number) });
    expect(view("oracle")?.reason).toBe(
      "gpu0 has 1.00 GiB free of the 4.00 GiB needed; process 4711 holds 9.00 GiB.",
    );
    expect(event("service.memory-taken")).toMatchObject({
      severity: "warning",
      data: { missing: [{ device: "gpu0", holders: [{ pid: 4711, bytes: 9 * GIB }] }] },
    });
    watch.take("GPU-0", 6);
    expect(await node.ready("oracle")).toBe(true);
    expect(event("service.memory-short")).toBeUndefined();
  });

  test("that stays taken does not keep a start back for ever: the engine is asked itself", async () => {
    const watch = new FakeWatch(["GPU-0"]);
    watch.take("GPU-0", 9);
    node = supervise([fakeService("oracle", {}, on(["gpu0"]))], {
      watch,
      cards: CARDS,
      timing: { ...timing, memoryWait: 250 },
    });
    await node.supervisor.start();
    expect(await node.ready("oracle")).toBe(true);
    expect(event("service.memory-short")?.message).toMatch(/is started although memory is short after/);
  });

  test("of a node that stops while a start waits for it is waited for no longer", async () => {
    const watch = new FakeWatch(["GPU-0"]);
    watch.take("GPU-0", 9);
    node = supervise([fakeService("oracle", {}, on(["gpu0"]))], { watch, cards: CARDS, timing });
    await node.supervisor.start();
    await eventually("it waits", () => watch.looks > 1);
    await node.supervisor.stop(1000);
    expect(view("oracle")?.state).toBe("stopped");
    expect(watch.listeners).toBe(0);
  });
});

test("what a start took is measured beside what was predicted, by the engine and by the driver", async () => {
  const watch = new FakeWatch(["GPU-0"]);
  const measurements: unknown[] = [];
  const service = fakeService("oracle", { print: ["weights 4000"] }, on(["gpu0"]));
  node = supervise([service], {
    watch,
    cards: CARDS,
    measured: { record: (measurement) => void measurements.push(measurement), loadTime: () => 1234 },
  });
  const recorded = node.supervisor.start();
  watch.take("GPU-0", 1);
  await recorded;
  await eventually("it starts", () => view("oracle")?.pid !== undefined);
  watch.take("GPU-0", 5, view("oracle")?.pid);
  expect(await node.ready("oracle")).toBe(true);
  await eventually("it is measured", () => measurements.length > 0);
  expect(measurements).toMatchObject([
    {
      service: { name: "oracle" },
      kind: "fake",
      predicted: [{ device: "gpu0", total: 4 * GIB }],
      took: { devices: [{ device: "CUDA0", weights: 4000 }] },
      cards: [{ device: "gpu0", bytes: 5 * GIB, by: "process" }],
    },
  ]);
});

test("an engine that computes on the processor although it was given a card is found and told", async () => {
  node = supervise([fakeService("oracle", { print: ["warning: no usable GPU found"] }, on(["gpu0"]))]);
  await node.supervisor.start();
  expect(await node.ready("oracle")).toBe(true);
  expect(view("oracle")?.state).toBe("ready");
  expect(event("service.on-processor")?.message).toContain(
    "oracle was given gpu0 and computes on the processor: warning: no usable GPU found",
  );
  expect(node.supervisor.diagnostics()).toMatchObject([{ code: "engine.on-processor", severity: "warning" }]);
});
