import { afterEach, describe, expect, test } from "vitest";
import type { Lifecycle } from "../../src/plan/plan.ts";
import { eventually, isAlive } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import { fakePlan, fakeService } from "../fakes/fake-driver.ts";
import type { Supervised } from "../fakes/supervised.ts";
import { supervise } from "../fakes/supervised.ts";

const LIFECYCLE: Lifecycle = {
  priority: 5,
  pinned: false,
  after: [],
  drainTimeout: 60_000,
  warmUp: false,
  strategy: "recreate",
};

let node: Supervised;
afterEach(() => node.end());

const view = (name = "oracle") => node.supervisor.services().find((service) => service.name === name);
const event = (kind: string) => node.events.events.find((one) => one.kind === kind);
const oracle = (behaviour = {}, lifecycle: Partial<Lifecycle> = {}) =>
  fakeService("oracle", behaviour, { lifecycle: { ...LIFECYCLE, ...lifecycle } });

async function serve(...args: Parameters<typeof supervise>): Promise<void> {
  node = supervise(...args);
  await node.supervisor.start();
  expect(await node.ready("oracle")).toBe(true);
}

describe("a drain", () => {
  test("lets answers finish, takes nothing new, and then does what it is for", async () => {
    await serve([oracle()]);
    const { pid = 0 } = view() ?? {};
    const lease = node.supervisor.acquire("oracle");
    expect(lease?.address.kind).toBe("unix");
    expect(node.supervisor.control("oracle", "restart")).toMatchObject({ ok: true });
    expect(view()).toMatchObject({ state: "draining", inFlight: 1 });
    expect(node.supervisor.acquire("oracle")).toBeUndefined();
    expect(isAlive(pid)).toBe(true);
    lease?.release();
    lease?.release();
    expect(await node.ready("oracle")).toBe(true);
    expect(view()).toMatchObject({ state: "ready", inFlight: 0, restarts: 0 });
    expect(view()?.pid).not.toBe(pid);
    expect(event("service.draining")?.message).toBe(
      "oracle takes nothing new; 1 answer may finish within 1 m 0 s. Why: Its owner asked for it.",
    );
  });

  test("ends when its time is over, and says that answers are cut", async () => {
    await serve([oracle({}, { drainTimeout: 100 })]);
    const lease = node.supervisor.acquire("oracle");
    node.supervisor.control("oracle", "restart");
    await eventually("it is cut", () => event("service.drain-expired") !== undefined);
    expect(await node.ready("oracle")).toBe(true);
    lease?.release();
    expect(view()).toMatchObject({ state: "ready", inFlight: 0 });
  });

  test("by hand keeps the engine up until it is resumed", async () => {
    await serve([oracle()], { timing: { livenessEvery: 20 } });
    const { pid } = view() ?? {};
    expect(node.supervisor.control("oracle", "drain").ok).toBe(true);
    expect(view()).toMatchObject({ state: "draining", pid, reason: "Its owner asked for it." });
    expect(node.supervisor.control("oracle", "drain").ok).toBe(false);
    expect(node.supervisor.control("oracle", "resume").ok).toBe(true);
    expect(view()).toMatchObject({ state: "ready", pid });
    expect(node.supervisor.control("oracle", "resume").ok).toBe(false);
  });

  test("of an engine that crashes meanwhile is over, and its leases go for nothing", async () => {
    await serve([oracle()]);
    const address = node.supervisor.address("oracle");
    const lease = node.supervisor.acquire("oracle");
    node.supervisor.control("oracle", "restart");
    await ask(address, "/exit?code=3");
    expect(await node.ready("oracle")).toBe(true);
    const next = node.supervisor.acquire("oracle");
    lease?.release();
    expect(view()).toMatchObject({ state: "ready", inFlight: 1 });
    next?.release();
    expect(view()?.inFlight).toBe(0);
  });
});

test("an unknown service is refused by name", async () => {
  await serve([oracle()]);
  expect(() => node.supervisor.control("nobody", "load")).toThrow(
    "This node has no service nobody; it has oracle.",
  );
});

describe("services that take turns", () => {
  const set = {
    name: "turns",
    devices: ["gpu0"],
    services: ["oracle", "scribe"],
    standing: "oracle",
    reserves: [{ device: "gpu0", bytes: 1 }],
  };
  const on = { devices: ["gpu0"], lifecycle: LIFECYCLE };

  test("are loaded by demand; the one that gives way sleeps, and is woken without a new process", async () => {
    const services = [fakeService("oracle", {}, on), fakeService("scribe", {}, on)];
    const plan = { ...fakePlan(services), swapSets: [set] };
    const swap = { minResidency: 0, ttl: false, maxWait: 60_000 } as const;
    await serve(services, {
      plan,
      policies: {
        swap,
        headroom: { vram: { bytes: 0 }, memory: { bytes: 0 } },
        watch: { maxTemperature: 88, coolDown: 1000, stall: 60_000 },
      },
    });
    expect(view("scribe")).toMatchObject({ state: "unloaded" });
    expect(view("scribe")?.eta).toBeGreaterThan(0);
    const { pid } = view() ?? {};
    const withdraw = node.supervisor.demand(["scribe"]);
    expect(await node.ready("scribe")).toBe(true);
    withdraw();
    expect(view()).toMatchObject({ state: "asleep", pid });
    node.supervisor.demand(["oracle"]);
    expect(await node.ready("oracle")).toBe(true);
    expect(view()).toMatchObject({ state: "ready", pid, restarts: 0 });
    expect(event("service.waking")?.message).toContain("oracle is woken");
  });
});
