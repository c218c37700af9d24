import { deepEqual, equal, fail } from "node:assert/strict";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NaiveAdmission } from "../../../test/fakes/naive-admission.ts";
import { AdmissionCore } from "./admission-core.ts";
import type { HeldPlace } from "./held-place.ts";
import type { Waiting } from "./waiting.ts";

const SERVICES = ["a", "b", "c"];
const BOUND = 2;
const AGEING = 1000;

const wish = fc.record({
  service: fc.constantFrom(...SERVICES),
  route: fc.option(fc.constantFrom("r", "s"), { nil: undefined }),
});
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      wanted: fc.uniqueArray(wish, { minLength: 1, maxLength: 3, selector: (one) => one.service }),
      key: fc.constantFrom("k", "l", "m"),
      priority: fc.integer({ min: 0, max: 9 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("leave" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abort" as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("size" as const),
      service: fc.constantFrom(...SERVICES),
      capacity: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("pass" as const), time: fc.integer({ min: 1, max: 4000 }) }),
  },
);

/** Runs the same steps on the real one and on the naive one, and compares who is inside after each. */
class Comparison {
  readonly naive = new NaiveAdmission(BOUND, AGEING);
  readonly core = new AdmissionCore({
    capacityOf: (service) => this.naive.capacity.get(service),
    queueLimitOf: () => undefined,
    queueLimit: Number.POSITIVE_INFINITY,
    ageing: AGEING,
    now: () => this.naive.now,
  });
  readonly inside = new Map<number, HeldPlace>();
  readonly waiting = new Map<number, Waiting>();
  #ids = 0;

  constructor() {
    for (const service of SERVICES) this.naive.capacity.set(service, 1);
  }

  ask(
    wanted: readonly { service: string; route: string | undefined }[],
    key: string,
    priority: number,
  ): void {
    const id = this.#ids++;
    const plain = wanted.map(({ service, route }) =>
      route === undefined ? { service } : { service, route },
    );
    const expected = this.naive.ask({ id, key, priority, wanted: plain });
    const bounded = wanted.map(({ service, route }) =>
      route === undefined ? { service } : { service, bound: { route, limit: BOUND } },
    );
    for (const one of bounded) {
      const place = this.core.tryEnter(one);
      if (place === undefined) continue;
      equal(expected, true);
      this.inside.set(id, place);
      return;
    }
    equal(expected, false);
    const joined = this.core.join({
      wanted: bounded,
      who: { key, priority },
      admitted: (place) => {
        equal(this.waiting.delete(id), true);
        this.inside.set(id, place);
      },
      displaced: () => fail(),
    });
    if ("status" in joined) fail();
    else this.waiting.set(id, joined);
  }

  leave(which: number): void {
    const [id, place] = [...this.inside][which % Math.max(1, this.inside.size)] ?? [];
    if (id === undefined || place === undefined) return;
    this.inside.delete(id);
    this.naive.inside.splice(
      this.naive.inside.findIndex((held) => held.id === id),
      1,
    );
    this.naive.fill(place.service);
    place.leave();
    place.leave();
  }

  abort(which: number): void {
    const [id, waiting] = [...this.waiting][which % Math.max(1, this.waiting.size)] ?? [];
    if (id === undefined || waiting === undefined) return;
    this.waiting.delete(id);
    this.naive.forget(id);
    this.core.remove(waiting);
  }

  size(service: string, capacity: number): void {
    this.naive.capacity.set(service, capacity);
    // The real one fills room by room in the order in which they were opened; only one of them changes.
    this.naive.fill(service);
    this.core.refresh();
  }

  check(): void {
    const shown = [...this.inside].map(([id, { service }]) => `${id} at ${service}`).toSorted();
    deepEqual(shown, this.naive.inside.map(({ id, service }) => `${id} at ${service}`).toSorted());
    deepEqual(new Set(this.waiting.keys()), new Set(this.naive.waiting.map((one) => one.id)));
    equal(this.core.waiting, this.waiting.size);
    for (const { wanted } of this.naive.waiting) {
      for (const { service, route } of wanted) equal(this.naive.hasRoom(service, route), false);
    }
  }
}

describe("admission does what its rules say", () => {
  it("in whatever order requests come, leave, give up, wait and capacities change", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const both = new Comparison();
        for (const one of steps) {
          if (one.do === "ask") both.ask(one.wanted, one.key, one.priority);
          else if (one.do === "leave") both.leave(one.which);
          else if (one.do === "abort") both.abort(one.which);
          else if (one.do === "size") both.size(one.service, one.capacity);
          else both.naive.now += one.time;
          both.check();
        }
        // Whoever waits gets in once the others leave, and nothing is left behind.
        while (both.inside.size > 0) {
          both.leave(0);
          both.check();
        }
        expect(both.waiting.size).toBe(0);
        for (const service of SERVICES) expect(both.core.load(service)).toEqual({ running: 0, waiting: 0 });
      }),
      { numRuns: 300 },
    );
  });
});

/** A service with one place and its queue, on a clock of its own. */
class OneService {
  now = 0;
  readonly order: string[] = [];
  readonly displaced: string[] = [];
  readonly core: AdmissionCore;
  #held: HeldPlace | undefined;

  constructor(queueLimit = Number.POSITIVE_INFINITY, serviceLimit?: number) {
    this.core = new AdmissionCore({
      capacityOf: () => 1,
      queueLimitOf: () => serviceLimit,
      queueLimit,
      ageing: AGEING,
      now: () => this.now,
    });
    this.#held = this.core.tryEnter({ service: "a" });
  }

  wait(key: string, priority = 5, name = key): ReturnType<AdmissionCore["join"]> {
    return this.core.join({
      wanted: [{ service: "a" }],
      who: { key, priority },
      admitted: (place) => {
        this.order.push(name);
        this.#held = place;
      },
      displaced: () => void this.displaced.push(name),
    });
  }

  /** The one inside leaves after `time` ms. */
  turn(time = 0): void {
    this.now += time;
    const held = this.#held;
    this.#held = undefined;
    held?.leave();
  }
}

describe("fairness", () => {
  it("one key with 1000 waiting delays another key's first by one place", () => {
    const one = new OneService();
    for (let i = 0; i < 1000; i++) one.wait("greedy");
    one.turn();
    one.wait("modest");
    one.turn();
    one.turn();
    expect(one.order.slice(0, 3)).toContain("modest");
  });

  it("keys that always wait get places in turn, however many each has waiting", () => {
    const one = new OneService();
    for (let i = 0; i < 300; i++) one.wait(i % 10 === 0 ? "few" : i % 10 < 3 ? "some" : "many");
    for (let i = 0; i < 90; i++) one.turn();
    for (const key of ["few", "some", "many"])
      expect(one.order.filter((name) => name === key)).toHaveLength(30);
  });

  it("a higher class goes first, and the lowest gets its place within nine times the ageing", () => {
    const one = new OneService();
    one.wait("low", 0);
    let waited = 0;
    while (!one.order.includes("low")) {
      one.wait("high", 9);
      one.turn(100);
      waited += 100;
    }
    expect(waited).toBeGreaterThan(8 * AGEING);
    expect(waited).toBeLessThanOrEqual(9 * AGEING + 100);
  });
});

describe("a full queue", () => {
  it("refuses with 429 and the time that the measured rate gives", () => {
    const one = new OneService(3);
    for (let i = 0; i < 10; i++) {
      one.wait("k");
      one.turn(2000);
    }
    for (let i = 0; i < 3; i++) one.wait("k");
    const refused = one.wait("k");
    // One place every 2 s, three ahead: the fourth place comes after about 8 s.
    expect(refused).toMatchObject({ status: 429, code: "queue_full", retryAfter: 8 });
    expect(refused).toHaveProperty(
      "message",
      expect.stringContaining('3 wait for "a", which answers 1 at a time'),
    );
  });

  it("says a longer time the longer nothing becomes free, never above ten minutes", () => {
    const one = new OneService(0);
    one.now = 20_000;
    expect(one.wait("k")).toMatchObject({ retryAfter: 20 });
    one.now = 40_000;
    expect(one.wait("k")).toMatchObject({ retryAfter: 40 });
    one.now = 4_000_000;
    expect(one.wait("k")).toMatchObject({ retryAfter: 600 });
  });

  it.each([
    ["in all", 4, undefined],
    ["of one service", Number.POSITIVE_INFINITY, 4],
  ])(
    "%s is shared: the newest of a key that fills it gives way to another key, and a lower class to a higher",
    (_, all, own) => {
      const one = new OneService(all, own);
      for (let i = 0; i < 4; i++) one.wait("greedy", 5, `greedy ${i}`);
      expect(one.wait("modest", 5, "modest 0")).not.toHaveProperty("status");
      expect(one.displaced).toEqual(["greedy 3"]);
      expect(one.wait("modest", 5, "modest 1")).not.toHaveProperty("status");
      expect(one.wait("modest", 5, "modest 2")).toMatchObject({ status: 429 });
      expect(one.wait("greedy", 5, "greedy 4")).toMatchObject({ status: 429 });
      expect(one.wait("batch", 0)).toMatchObject({ status: 429 });
      expect(one.wait("urgent", 6)).not.toHaveProperty("status");
      expect(one.displaced).toEqual(["greedy 3", "greedy 2", expect.stringMatching(/1$/)]);
      expect(one.core.waiting).toBe(4);
    },
  );
});

it("the way in and out without waiters costs less than a microsecond", () => {
  const core = new AdmissionCore({
    capacityOf: () => 4,
    queueLimitOf: () => 64,
    queueLimit: 256,
    ageing: AGEING,
    now: () => performance.now(),
  });
  const wanted = { service: "a", bound: { route: "r", limit: 3 } };
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    const began = performance.now();
    for (let i = 0; i < 20_000; i++) core.tryEnter(wanted)?.leave();
    best = Math.min(best, ((performance.now() - began) / 20_000) * 1e6);
  }
  expect(best).toBeLessThan(1000);
  if (process.env["SHOW_TIMES"] !== undefined) process.stderr.write(`${best.toFixed(0)} ns\n`);
});
