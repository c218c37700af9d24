import { expect, test } from "vitest";
import { fakePlan, fakeService } from "../../../test/fakes/fake-driver.ts";
import { GIB } from "../../core/index.ts";
import type { Plan, PlannedService } from "../../plan/plan.ts";
import { membersOf } from "./members.ts";

const TIMES = { ttl: 600_000, maxWait: 300_000 };

/** A service on cards that takes this many GiB of main memory beside them. */
function on(name: string, devices: readonly string[], host: number): PlannedService {
  const terms = (device: string, total: number) => ({
    device,
    weights: total,
    kvCache: 0,
    compute: 0,
    overhead: 0,
    total,
    capacity: 64 * GIB,
  });
  return fakeService(
    name,
    {},
    { devices, memory: [...devices.map((device) => terms(device, 8 * GIB)), terms("cpu", host * GIB)] },
  );
}

/** One set over two cards, with so many GiB of main memory left over by the plan. */
function planOf(services: readonly PlannedService[], spare: number): Plan {
  const host = Math.max(
    ...services.flatMap(({ memory }) =>
      memory.filter(({ device }) => device === "cpu").map(({ total }) => total),
    ),
  );
  return {
    ...fakePlan(services),
    swapSets: [
      {
        name: "swap",
        devices: ["gpu0", "gpu1", "cpu"],
        services: services.map(({ name }) => name),
        standing: "left",
        reserves: [
          { device: "gpu0", bytes: 8 * GIB },
          { device: "gpu1", bytes: 8 * GIB },
          { device: "cpu", bytes: host },
        ],
      },
    ],
    ledger: [
      {
        device: "cpu",
        machine: "box",
        kind: "memory",
        label: "memory",
        capacity: 64 * GIB,
        headroom: GIB,
        entries: [],
        free: (spare + 1) * GIB,
      },
    ],
  };
}

const fleet = [on("left", ["gpu0"], 2), on("right", ["gpu1"], 2), on("large", ["gpu0", "gpu1"], 4)];
const excludes = (plan: Plan, service: string): readonly string[] | undefined =>
  membersOf(plan, TIMES, () => false).get(service)?.excludes;

test("members of a set exclude each other where they meet on a card", () => {
  const plan = planOf(fleet, 8);
  expect(excludes(plan, "left")).toEqual(["large"]);
  expect(excludes(plan, "right")).toEqual(["large"]);
  expect(excludes(plan, "large")).toEqual(["left", "right"]);
});

test("and also where main memory does not hold them all", () => {
  expect(excludes(planOf(fleet, 3), "left")).toEqual(["right", "large"]);
});

test("who takes turns is unloaded when idle and drained for as long as others can wait; who does not is kept", () => {
  const lone = fakeService("lone");
  const plan = { ...planOf(fleet, 8), services: [...fleet, lone] };
  const members = membersOf(plan, TIMES, (service) => service === "large");
  expect(members.get("large")).toMatchObject({
    ttl: 600_000,
    drain: 300_000,
    preload: false,
    standing: false,
    canSleep: true,
  });
  expect(members.get("left")).toMatchObject({ ttl: false, preload: true, standing: true, canSleep: false });
  expect(members.get("lone")).toMatchObject({ ttl: false, preload: true, excludes: [], standing: false });
});

test("who answers in whose place is told by the routes", () => {
  const plan = { ...planOf(fleet, 8), routes: [{ name: "any", services: ["large", "left", "right"] }] };
  const members = membersOf(plan, TIMES, () => false);
  expect(members.get("right")?.standsInFor).toEqual(["large", "left"]);
  expect(members.get("large")?.standsInFor).toEqual([]);
});
