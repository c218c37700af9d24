import { createResidencyKeeper } from "../../src/supervisor/residency/index.ts";
import type { SwapPolicies } from "../../src/supervisor/residency/index.ts";
import { leastRecentlyUsed } from "./least-recently-used.ts";
import { MemoryEventLog } from "./memory-event-log.ts";
import { ResidencyWorld, worldPlan } from "./residency-world.ts";
import type { WorldService, WorldSet } from "./residency-world.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Requests for one model: how many come a minute and what answering one takes, both on average. */
export interface Stream {
  readonly services: readonly string[];
  readonly perMinute: number;
  readonly takes: number;
  /** Only from and until this share of the time, 0 to 1. */
  readonly from?: number;
  readonly until?: number;
}

export interface MixedLoad {
  readonly services: readonly WorldService[];
  readonly sets: readonly WorldSet[];
  readonly streams: readonly Stream[];
  /** Milliseconds. */
  readonly time: number;
  readonly swap: SwapPolicies["swap"];
}

export interface Outcome {
  readonly loads: number;
  readonly swapsPerHour: number;
  readonly answered: number;
  readonly gaveUp: number;
  readonly cut: number;
  /** Share of requests that their first choice answered. */
  readonly firstChoice: number;
  /** Milliseconds of waiting by first choice. */
  readonly waits: ReadonlyMap<string, readonly number[]>;
}

/** A small generator of numbers from 0 to 1 that is the same every time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Plays a mixed load in virtual time with Omni's decisions, or with those of a plain cache (load at once, evict the oldest). */
export function playLoad(load: MixedLoad, maker: "omni" | "lru", seed = 1): Outcome {
  const clock = new VirtualClock();
  const world = new ResidencyWorld(clock, load.services, load.sets);
  const plan = worldPlan(
    load.services,
    load.sets,
    load.streams.map(({ services }) => services),
  );
  const keeper =
    maker === "lru"
      ? leastRecentlyUsed(plan, world, clock)
      : createResidencyKeeper({
          plan,
          policies: { swap: load.swap },
          clock,
          events: new MemoryEventLog(),
          control: world,
          canSleep: () => false,
          loadTime: (name) => load.services.find((service) => service.name === name)?.loadTime ?? 0,
        });
  world.maker = keeper;
  keeper.start();
  for (const [index, stream] of load.streams.entries()) {
    const next = numbers(seed * 1000 + index);
    const mean = 60_000 / stream.perMinute;
    const arrive = (): void => {
      world.request(stream.services, -Math.log(1 - next()) * stream.takes, load.swap.maxWait);
      const gap = -Math.log(1 - next()) * mean;
      if (clock.now + gap < load.time * (stream.until ?? 1)) clock.after(gap, arrive);
    };
    clock.after(load.time * (stream.from ?? 0) + next() * mean, arrive);
  }
  clock.runUntil(load.time);
  const waits = new Map<string, number[]>();
  for (const { service, wait } of world.waits) waits.set(service, [...(waits.get(service) ?? []), wait]);
  return {
    loads: world.loads.length,
    swapsPerHour: world.unloads.length / (load.time / 3_600_000),
    answered: world.waits.length,
    gaveUp: world.gaveUp,
    cut: world.cut,
    firstChoice: world.waits.filter(({ service, by }) => service === by).length / world.waits.length,
    waits,
  };
}
