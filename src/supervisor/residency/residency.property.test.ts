import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryEventLog } from "../../../test/fakes/memory-event-log.ts";
import { playLoad } from "../../../test/fakes/mixed-load.ts";
import { ResidencyWorld, worldPlan } from "../../../test/fakes/residency-world.ts";
import type { WorldService, WorldSet } from "../../../test/fakes/residency-world.ts";
import { VirtualClock } from "../../../test/fakes/virtual-clock.ts";
import { createResidencyKeeper } from "./index.ts";

const MIN = 60_000;
const SWAP = { minResidency: MIN, ttl: 10 * MIN, maxWait: 5 * MIN };

interface Fleet {
  readonly services: readonly WorldService[];
  readonly sets: readonly WorldSet[];
}

const DEVICES = [["gpu0"], ["gpu1"], ["gpu0", "gpu1"], ["gpu0"]] as const;

/** Up to five services that take turns on two cards, and one that needs no turn. */
const fleets = (failing: boolean): fc.Arbitrary<Fleet> =>
  fc
    .array(
      fc.record({
        devices: fc.constantFrom(...DEVICES),
        loadTime: fc.integer({ min: 100, max: 90_000 }),
        priority: fc.integer({ min: 0, max: 9 }),
        ttl: fc.option(fc.constantFrom<number | false>(false, 30_000, 5 * MIN), { nil: undefined }),
        fails: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
      }),
      { minLength: 2, maxLength: 5 },
    )
    .map((made) => {
      const turning = made.map(({ devices, loadTime, priority, ttl, fails }, index): WorldService => ({
        name: `s${index}`,
        devices,
        loadTime,
        priority,
        ...(ttl === undefined ? {} : { ttl }),
        ...(failing ? { fails: (attempt) => fails[attempt % fails.length] ?? false } : {}),
      }));
      const names = turning.map(({ name }) => name);
      const alone: WorldService = { name: "alone", devices: ["cpu"], loadTime: 2000 };
      return { services: [...turning, alone], sets: [{ services: names, standing: names[0] ?? "" }] };
    });

const requests = fc.array(
  fc.record({
    after: fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 90_000 })),
    choices: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 3 }),
    takes: fc.oneof(fc.nat({ max: 3000 }), fc.nat({ max: 40_000 })),
    patience: fc.option(fc.nat({ max: 5 * MIN }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 60 },
);
type Requests = typeof requests extends fc.Arbitrary<infer T> ? T : never;

function play(fleet: Fleet, script: Requests, impatient: boolean) {
  const clock = new VirtualClock();
  const events = new MemoryEventLog();
  const world = new ResidencyWorld(clock, fleet.services, fleet.sets);
  const loadTimes = new Map(fleet.services.map(({ name, loadTime }) => [name, loadTime]));
  const keeper = createResidencyKeeper({
    plan: worldPlan(fleet.services, fleet.sets),
    policies: { swap: SWAP },
    clock,
    events,
    control: world,
    canSleep: () => false,
    loadTime: (service) => loadTimes.get(service) ?? 0,
  });
  world.maker = keeper;
  keeper.start();
  let at = 0;
  for (const { after, choices, takes, patience } of script) {
    at += after;
    const names = choices.map((choice) => fleet.services[choice % fleet.services.length]?.name ?? "");
    clock.after(at, () => world.request([...new Set(names)], takes, impatient ? patience : undefined));
  }
  clock.runUntil(at);
  const asked = at;
  clock.runUntil(at + 60 * MIN);
  return { clock, events, world, keeper, asked };
}

/** Longest that anyone can wait for a service: it may have to age past every priority, and then each rival has one turn. */
function bound({ services }: Fleet): number {
  const slowest = Math.max(...services.map(({ loadTime }) => loadTime));
  const turn = MIN + 2 * MIN + SWAP.maxWait + slowest + 1000;
  return 10 * MIN + services.length * turn;
}

test("two that exclude each other are never loaded together, and no answer is cut, whatever fails", () => {
  fc.assert(
    fc.property(fleets(true), requests, (fleet, script) => {
      const { world } = play(fleet, script, true);
      expect(world.clashes).toEqual([]);
      expect(world.cut).toBe(0);
    }),
    { numRuns: 80 },
  );
});

test("every request is answered within the bound when loads succeed", () => {
  fc.assert(
    fc.property(fleets(false), requests, (fleet, script) => {
      const { world } = play(fleet, script, false);
      expect(world.waiting).toBe(0);
      expect(Math.max(...world.waits.map(({ wait }) => wait))).toBeLessThanOrEqual(bound(fleet));
    }),
    { numRuns: 80 },
  );
});

test("who is loaded stays for the minimum residency, a quarter of it for a higher priority", () => {
  fc.assert(
    fc.property(fleets(true), requests, (fleet, script) => {
      const { world } = play(fleet, script, true);
      for (const { readyFor } of world.unloads) {
        expect(readyFor).toBeDefined();
        expect(readyFor).toBeGreaterThanOrEqual(MIN / 4);
      }
      const equal = { ...fleet, services: fleet.services.map((service) => ({ ...service, priority: 5 })) };
      for (const { readyFor } of play(equal, script, true).world.unloads)
        expect(readyFor).toBeGreaterThanOrEqual(MIN);
    }),
    { numRuns: 50 },
  );
});

test("a service that does not load is tried a bounded number of times, however often it is asked for", () => {
  fc.assert(
    fc.property(fleets(false), fc.integer({ min: 1, max: 200 }), (fleet, count) => {
      const services = fleet.services.map((service) => ({ ...service, loadTime: 100, fails: () => true }));
      const script = Array.from({ length: count }, () => ({
        after: 500,
        choices: [0],
        takes: 10,
        patience: 2000,
      }));
      const { world } = play({ ...fleet, services }, script, true);
      // 30 s, 1, 2, 4, 8 min and so on: at most one more each time the node's age doubles.
      const tries = world.loads.filter(({ service }) => service === "s0").length;
      expect(tries).toBeLessThanOrEqual(2 + Math.log2(1 + (count * 500) / 30_000));
    }),
    { numRuns: 20 },
  );
});

test("in the end the standing service is loaded and nobody waits on a timer for nothing", () => {
  fc.assert(
    fc.property(fleets(false), requests, (fleet, script) => {
      const services = fleet.services.map(({ ttl: _any, ...service }) => service);
      const { world, clock, keeper } = play({ ...fleet, services }, script, false);
      const standing = fleet.sets[0]?.standing ?? "";
      expect(world.stateOf(standing)).toBe("ready");
      expect(keeper.outlook(standing)).toEqual({ eta: 0, position: 0, because: `${standing} is loaded` });
      keeper.close();
      expect(clock.waiting).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test("a pinned service is never unloaded for another", () => {
  fc.assert(
    fc.property(fleets(true), requests, (fleet, script) => {
      const services = fleet.services.map((service, index) => ({ ...service, pinned: index === 0 }));
      const { world } = play({ ...fleet, services }, script, true);
      expect(world.unloads.filter(({ service }) => service === "s0")).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test("under a load that never ends the least important is served within the bound, and swaps stay rare", () => {
  const names = ["high", "also", "low"];
  const services = names.map((name) => ({
    name,
    devices: ["gpu0"],
    loadTime: 20_000,
    priority: name === "low" ? 0 : 9,
  }));
  const fleet = { services, sets: [{ services: names, standing: "high" }] };
  const time = 3 * 60 * MIN;
  const outcome = playLoad(
    {
      ...fleet,
      streams: names.map((name) => ({ services: [name], perMinute: name === "low" ? 1 : 10, takes: 12_000 })),
      time,
      swap: { ...SWAP, maxWait: 60 * MIN },
    },
    "omni",
  );
  expect(outcome.gaveUp).toBe(0);
  expect(outcome.cut).toBe(0);
  expect(outcome.waits.get("low")?.length).toBeGreaterThan(100);
  for (const waits of outcome.waits.values())
    expect(Math.max(...waits)).toBeLessThan(10 * MIN + 3 * (3 * MIN + 30_000));
  expect(outcome.swapsPerHour).toBeLessThan(60);
});

test("who needs two cards is not starved by those who need one each", () => {
  const on = (name: string, ...devices: string[]) => ({ name, devices, loadTime: 20_000 });
  const services = [
    on("left", "gpu0"),
    on("more", "gpu0"),
    on("right", "gpu1"),
    on("most", "gpu1"),
    on("large", "gpu0", "gpu1"),
  ];
  const names = services.map(({ name }) => name);
  const outcome = playLoad(
    {
      services,
      sets: [{ services: names, standing: "left" }],
      streams: names.map((name) => ({ services: [name], perMinute: 3, takes: 5000 })),
      time: 2 * 60 * MIN,
      swap: { ...SWAP, maxWait: 60 * MIN },
    },
    "omni",
  );
  expect(outcome.waits.get("large")?.length).toBeGreaterThan(150);
  for (const waits of outcome.waits.values()) expect(Math.max(...waits)).toBeLessThan(15 * MIN);
});

test("a fallback answers while an image job borrows the card, and the card goes back when the job is done", () => {
  const services = [
    { name: "llm", devices: ["gpu0"], loadTime: 30_000 },
    { name: "images", devices: ["gpu0"], loadTime: 20_000 },
    { name: "small", devices: ["cpu"], loadTime: 1000 },
  ];
  const outcome = playLoad(
    {
      services,
      sets: [{ services: ["llm", "images"], standing: "llm" }],
      streams: [
        { services: ["llm", "small"], perMinute: 6, takes: 3000, from: 0.1 },
        { services: ["images"], perMinute: 2, takes: 10_000, from: 0.3, until: 0.4 },
      ],
      time: 100 * MIN,
      swap: SWAP,
    },
    "omni",
  );
  expect(outcome.gaveUp).toBe(0);
  expect(Math.max(...(outcome.waits.get("llm") ?? []))).toBe(0);
  expect(outcome.firstChoice).toBeGreaterThan(0.75);
  expect(outcome.firstChoice).toBeLessThan(1);
  // Once when the job came, and once when the card had been idle for the minimum residency.
  expect(outcome.loads).toBeLessThanOrEqual(3 + 2 * 3);
});
