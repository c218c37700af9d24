import { afterEach, describe, expect, test } from "vitest";
import type { Plan, PlannedService } from "../../src/plan/plan.ts";
import type { Circumstances, Replanner } from "../../src/supervisor/launcher.ts";
import type { CardIdentity } from "../../src/supervisor/index.ts";
import { POLICIES } from "../../src/supervisor/policies.ts";
import { eventually, isAlive } from "../fakes/alive.ts";
import { fakePlan, fakeService } from "../fakes/fake-driver.ts";
import { FakeWatch } from "../fakes/fake-watch.ts";
import type { Supervised } from "../fakes/supervised.ts";
import { supervise } from "../fakes/supervised.ts";

const CARDS: ReadonlyMap<string, CardIdentity> = new Map([
  ["gpu0", { name: "Fake 10G", uuid: "GPU-0", pci: "0000:01:00.0" }],
  ["gpu1", { name: "Fake 10G", uuid: "GPU-1", pci: "0000:02:00.0" }],
]);

let node: Supervised;
afterEach(() => node.end());

const view = (name: string) => node.supervisor.services().find((service) => service.name === name);
const pid = (name: string): number => view(name)?.pid ?? 0;
const event = (kind: string) => node.events.events.find((one) => one.kind === kind);

/** Plans as told, and remembers what it was asked. */
class FakeReplanner implements Replanner {
  readonly asked: Circumstances[] = [];
  readonly #plan: (circumstances: Circumstances) => Plan;

  constructor(plan: (circumstances: Circumstances) => Plan) {
    this.#plan = plan;
  }

  replan(circumstances: Circumstances): Promise<Plan> {
    this.asked.push(structuredClone(circumstances));
    return Promise.resolve(this.#plan(circumstances));
  }
}

async function serve(services: readonly PlannedService[], options = {}): Promise<void> {
  node = supervise(services, options);
  await node.supervisor.start();
  for (const { name } of services) expect(await node.ready(name)).toBe(true);
}

describe("another plan", () => {
  test("touches only what it changes, and is shown first", async () => {
    const keep = fakeService("keep");
    const change = fakeService("change");
    await serve([keep, change, fakeService("leave")]);
    const before = { keep: pid("keep"), change: pid("change"), leave: pid("leave") };
    const changed = { ...fakeService("change", { print: ["new"] }), contextTokens: 1024 };
    const plan = fakePlan([{ ...keep, queueLimit: 99 }, changed, fakeService("new")]);

    expect(await node.supervisor.preview(plan)).toMatchObject([
      { service: "leave", change: "stop", why: "The plan has no such service any more." },
      { service: "keep", change: "keep", why: "It runs as the plan says." },
      { service: "change", change: "restart", why: expect.stringContaining("context 2048 → 1024") },
      { service: "new", change: "start", why: "It is new in the plan." },
    ]);
    expect(pid("change")).toBe(before.change);

    await node.supervisor.apply(plan);
    await eventually("the old one is gone", () => !isAlive(before.leave));
    for (const name of ["change", "new"]) expect(await node.ready(name)).toBe(true);
    expect(pid("keep")).toBe(before.keep);
    expect(pid("change")).not.toBe(before.change);
    expect(view("change")).toMatchObject({ contextTokens: 1024, restarts: 0 });
    await eventually("it is forgotten", () => view("leave") === undefined);
    expect(node.supervisor.routes().map(({ name }) => name)).toEqual(["keep", "change", "new"]);
    const next = await node.supervisor.preview(plan);
    expect(next.every(({ change }) => change === "keep")).toBe(true);
  });

  test("with a service that comes back while it still leaves keeps one keeper and one engine", async () => {
    const oracle = fakeService("oracle", { ignoreTerm: true });
    await serve([oracle], { timing: { stopGrace: 300 } });
    const first = pid("oracle");
    await node.supervisor.apply(fakePlan([]));
    expect(view("oracle")?.state).toBe("stopping");
    await node.supervisor.apply(fakePlan([oracle]));
    await eventually("it is back", () => view("oracle")?.state === "ready" && pid("oracle") !== first);
    expect(isAlive(first)).toBe(false);
  });
});

describe("a crash loop", () => {
  test("moves the service to the next engine of its chain, and says so", async () => {
    const oracle = fakeService("oracle", { exitAfterLoad: 7 }, { fallbacks: ["other-fake"] });
    const other = fakeService("oracle", {}, { engine: { name: "other-fake", version: "1" } });
    const replanner = new FakeReplanner(() => fakePlan([other]));
    node = supervise([oracle], { replanner });
    await node.supervisor.start();
    await eventually("it serves", () => view("oracle")?.state === "ready");
    expect(view("oracle")).toMatchObject({ engine: "other-fake", kind: "other-fake" });
    expect(replanner.asked).toEqual([
      { lostDevices: [], failedEngines: [{ service: "oracle", engine: "fake" }] },
    ]);
    expect(event("service.moved")?.message).toBe(
      "crash loop on fake: oracle moved to other-fake. fake is not tried again before omni apply or the next start of the node.",
    );
    expect(node.events.kinds().indexOf("service.gave-up")).toBeLessThan(
      node.events.kinds().indexOf("service.moved"),
    );
  });

  test("without another engine that can run leaves it failed, and says so", async () => {
    const oracle = fakeService("oracle", { exitAfterLoad: 7 }, { fallbacks: ["other-fake"] });
    node = supervise([oracle], { replanner: new FakeReplanner(() => fakePlan([])) });
    await node.supervisor.start();
    expect(await node.ready("oracle")).toBe(false);
    await eventually("it is told", () => event("service.no-fallback") !== undefined);
    expect(view("oracle")?.state).toBe("failed");
  });
});

describe("a lost card", () => {
  const policies = { ...POLICIES, watch: { ...POLICIES.watch, coolDown: 50 } };
  const oracleOn = (device: string): PlannedService =>
    fakeService("oracle", { print: [device] }, { devices: [device] });

  test("ends what ran on it, which runs on what is left, and returns after the card", async () => {
    const watch = new FakeWatch(["GPU-0", "GPU-1"]);
    const scribe = fakeService("scribe", {}, { devices: ["gpu1"] });
    const replanner = new FakeReplanner(({ lostDevices }) =>
      fakePlan([oracleOn(lostDevices.includes("gpu0") ? "gpu1" : "gpu0"), scribe]),
    );
    await serve([oracleOn("gpu0"), scribe], { watch, cards: CARDS, policies, replanner });
    const before = { oracle: pid("oracle"), scribe: pid("scribe") };
    watch.tell({ kind: "lost", uuid: "GPU-0", reason: "NVML says that the GPU is lost" });
    await eventually("it moves", () => view("oracle")?.devices?.[0] === "gpu1");
    expect(await node.ready("oracle")).toBe(true);
    expect(isAlive(before.oracle)).toBe(false);
    expect(pid("scribe")).toBe(before.scribe);
    expect(event("gpu.lost")?.message).toContain("The machine has to be restarted");
    watch.tell({ kind: "back", uuid: "GPU-0" });
    await eventually("it returns", () => view("oracle")?.devices?.[0] === "gpu0");
    expect(await node.ready("oracle")).toBe(true);
    expect(replanner.asked.map(({ lostDevices }) => lostDevices)).toEqual([["gpu0"], []]);
    expect(pid("scribe")).toBe(before.scribe);
  });

  test("leaves a service without a place failed, with what the Xid asks for, until it is back", async () => {
    const watch = new FakeWatch(["GPU-0", "GPU-1"]);
    const replanner = new FakeReplanner(({ lostDevices }) =>
      fakePlan(lostDevices.length > 0 ? [] : [oracleOn("gpu0")]),
    );
    await serve([oracleOn("gpu0")], { watch, cards: CARDS, policies, replanner });
    watch.tell({ kind: "xid", pci: "0000:01:00", xid: 119, text: "Timeout waiting for RPC from GSP" });
    await eventually("it is failed", () => view("oracle")?.state === "failed");
    expect(view("oracle")?.reason).toMatch(/reports Xid 119.*reset it: nvidia-smi --gpu-reset/s);
    expect(node.supervisor.diagnostics()).toMatchObject([{ code: "gpu.lost" }]);
    const withdraw = node.supervisor.demand(["oracle"]);
    watch.tell({ kind: "back", uuid: "GPU-0" });
    await eventually("it is back", () => view("oracle")?.state === "ready");
    withdraw();
  });
});
