import { expect, test } from "vitest";
import { CARDS, ladderOn, ladderPlan, ladderService, readingOf } from "../../../test/fakes/ladder-node.ts";
import { MemoryEventLog } from "../../../test/fakes/memory-event-log.ts";
import { VirtualClock } from "../../../test/fakes/virtual-clock.ts";
import { GIB, MIB } from "../../core/index.ts";
import type { EngineFailure } from "../../engines/engine.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { CardReading } from "../../watch/reading.ts";
import { createLadderKeeper } from "./index.ts";
import type { LadderKeeperOptions } from "./index.ts";

const MINUTE = 60_000;
const POLICIES: LadderKeeperOptions["policies"] = {
  headroom: { vram: { bytes: GIB }, memory: { bytes: GIB } },
  watch: { maxTemperature: 88, coolDown: 5 * MINUTE },
};
const OOM: EngineFailure = {
  code: "engine.out-of-memory",
  message: "CUDA out of memory.",
  hint: "-",
  recoverable: true,
};

function node(services: readonly PlannedService[], more: Partial<LadderKeeperOptions> = {}) {
  const clock = new VirtualClock();
  const events = new MemoryEventLog();
  const orders: string[] = [];
  const keeper = createLadderKeeper({
    plan: ladderPlan(services),
    policies: POLICIES,
    clock,
    events,
    cards: CARDS,
    onChange: (service, { rungs, restartNeeded }) =>
      orders.push(`${service} runs on rung ${rungs}${restartNeeded ? " after a restart" : ""}`),
    evict: (service, by) => orders.push(`evict ${service} for ${by}`),
    restore: (service, by) => orders.push(`restore ${service} for ${by}`),
    ...more,
  });
  for (const { name } of services) keeper.ready(name);
  const look = (
    cards: Readonly<Record<string, Partial<CardReading>>>,
    seconds = 1,
    available?: number,
  ): void => {
    for (let second = 0; second < seconds; second++) {
      clock.runUntil(clock.now + 1000);
      keeper.reading(readingOf(clock.wall(), cards, available));
    }
  };
  const messages = (): string[] => events.events.map(({ message }) => message);
  return { clock, keeper, look, messages, events, take: () => orders.splice(0) };
}

const oracle = ladderService("oracle", "gpu0", ladderOn("gpu0", 512 * MIB, 2 * GIB));
const low = { gpu0: { memoryFree: 310 * MIB } };

test("steps down as far as is needed once a shortage has lasted, and says what brings it back", () => {
  const { look, take, messages, keeper, clock } = node([oracle]);
  look(low, 2);
  expect(take()).toEqual([]);
  look(low);
  // 714 MiB are missing: the first rung frees 512 MiB, so it goes on to the second at once.
  expect(take()).toEqual(["oracle runs on rung 2 after a restart"]);
  expect(messages()).toEqual([
    "oracle steps down to rung 2 (KV cache f16 → q8_0; context 8192 → 4096): gpu0 has 310.00 MiB free, 1.00 GiB is kept free; it steps back up after 5 m 0 s of at least 3.10 GiB free on gpu0.",
  ]);
  expect(keeper.viewOf("oracle")).toEqual({
    rung: 2,
    changes: ["KV cache f16 → q8_0", "context 8192 → 4096"],
    because: "gpu0 has 310.00 MiB free, 1.00 GiB is kept free",
    since: clock.wall(),
    backWhen: "after 5 m 0 s of at least 3.10 GiB free on gpu0",
  });
  expect(keeper.effective("oracle").service.contextTokens).toBe(4096);
});

test("waits for the effect of a step before the next one on the same card", () => {
  const { look, take, keeper } = node([oracle]);
  look(low, 30);
  expect(take()).toEqual(["oracle runs on rung 2 after a restart"]);
  keeper.ready("oracle");
  look(low, 14);
  expect(take()).toEqual([]);
  look(low, 2);
  expect(take()).toEqual(["evict helper for oracle", "oracle runs on rung 4"]);
});

test("climbs back in one restart after a cool-down of room, and as far as the room reaches", () => {
  const { look, take, keeper, messages } = node([oracle]);
  look(low, 3);
  keeper.ready("oracle");
  take();
  look({ gpu0: { memoryFree: 3 * GIB } }, 400);
  // 3 GiB hold what is kept free and the quantized cache's 0.5 GiB, but not the context's 2 GiB with it.
  expect(take()).toEqual([]);
  look({ gpu0: { memoryFree: 4 * GIB } }, 300);
  expect(take()).toEqual([]);
  look({ gpu0: { memoryFree: 4 * GIB } }, 1);
  expect(take()).toEqual(["oracle runs on rung 0 after a restart"]);
  expect(messages().at(-1)).toBe(
    "oracle is as planned again (no more KV cache f16 → q8_0; context 8192 → 4096): there was room and calm for the whole cool-down.",
  );
  expect(keeper.viewOf("oracle")).toBeUndefined();
});

test("climbs as far as there was room for all the while, not only at the last look", () => {
  const { look, take, keeper } = node([oracle]);
  look(low, 3);
  keeper.ready("oracle");
  take();
  look({ gpu0: { memoryFree: 3.2 * GIB } }, 300);
  look({ gpu0: { memoryFree: 6 * GIB } }, 1);
  expect(take()).toEqual(["oracle runs on rung 1 after a restart"]);
});

test("takes no step in either direction while the engine starts anew for the last one", () => {
  const { look, take, keeper } = node([oracle]);
  look(low, 3);
  expect(take()).toEqual(["oracle runs on rung 2 after a restart"]);
  look(low, 60);
  look({}, 1000);
  look(low, 60);
  expect(take()).toEqual([]);
  keeper.ready("oracle");
  look({}, 301);
  expect(take()).toEqual(["oracle runs on rung 0 after a restart"]);
});

test("a climb that does not hold doubles the wait for the next", () => {
  const { look, take, keeper } = node([oracle]);
  const roomy = { gpu0: { memoryFree: 6 * GIB } };
  keeper.failed("oracle", OOM);
  keeper.ready("oracle");
  look(roomy, 301);
  expect(take()).toEqual(["oracle runs on rung 1 after a restart", "oracle runs on rung 0 after a restart"]);
  keeper.failed("oracle", OOM);
  keeper.ready("oracle");
  expect(keeper.viewOf("oracle")?.backWhen).toBe("after 10 m 0 s of at least 1.53 GiB free on gpu0");
  look(roomy, 600);
  expect(take()).toEqual(["oracle runs on rung 1 after a restart"]);
  look(roomy, 1);
  expect(take()).toEqual(["oracle runs on rung 0 after a restart"]);
});

test("out of memory with a size that would fit goes to that context; the end of the ladder is said once", () => {
  const { keeper, take, messages } = node([oracle]);
  expect(keeper.failed("oracle", { ...OOM, fittingTokens: 6000 })).toBe(true);
  expect(take()).toEqual(["oracle runs on rung 2 after a restart"]);
  expect(keeper.failed("oracle", { ...OOM, code: "engine.crashed" })).toBe(false);
  expect([keeper.failed("oracle", OOM), keeper.failed("oracle", OOM), keeper.failed("oracle", OOM)]).toEqual([
    true,
    true,
    true,
  ]);
  expect(take()).toEqual([
    "evict helper for oracle",
    "oracle runs on rung 4",
    "oracle runs on rung 5 after a restart",
    "evict oracle for oracle",
    "oracle runs on rung 6",
  ]);
  expect([keeper.failed("oracle", OOM), keeper.failed("oracle", OOM)]).toEqual([false, false]);
  expect(messages().filter((message) => message.includes("no step that would help is left"))).toEqual([
    "oracle cannot step down: its engine ran out of memory: CUDA out of memory; no step that would help is left on its ladder.",
  ]);
});

test("a start that would not fit steps down as far as the arithmetic says, else to the next engine", () => {
  const { keeper, take, messages } = node([oracle]);
  expect(keeper.predicted("oracle", [{ device: "gpu0", bytes: 3 * GIB }])).toBe(true);
  expect(take()).toEqual(["evict helper for oracle", "oracle runs on rung 4 after a restart"]);
  expect(messages()[0]).toContain("its start would not fit, 3.00 GiB on gpu0 is missing");
  expect(keeper.predicted("oracle", [{ device: "gpu0", bytes: 3 * GIB }])).toBe(true);
  expect(take()).toEqual(["oracle runs on rung 5 after a restart"]);
});

test("of services on a card the least important steps first, of equals the one that frees enough with least loss", () => {
  const minor = ladderService("minor", "gpu0", ladderOn("gpu0", 100 * MIB, 0), 2);
  const other = ladderService("other", "gpu0", ladderOn("gpu0", GIB, GIB), 5);
  const away = ladderService("away", "gpu1", ladderOn("gpu1", GIB, GIB), 1);
  const { look, take, keeper } = node([oracle, minor, other, away]);
  keeper.gone("minor");
  look(low, 3);
  expect(take()).toEqual(["other runs on rung 1 after a restart"]);
  keeper.ready("other");
  keeper.ready("minor");
  look(low, 16);
  expect(take()).toEqual(["evict helper for minor", "minor runs on rung 4 after a restart"]);
});

test("names the program that took the memory", () => {
  const holders = [
    { pid: 77, bytes: 16 * GIB },
    { pid: 4242, bytes: 7 * GIB },
  ];
  const { look, messages } = node([oracle], { ownProcesses: () => new Set([77]) });
  look({ gpu0: { memoryFree: 0, memoryUsed: 24 * GIB, holders } }, 3);
  expect(messages()[0]).toContain(
    "gpu0 has 0 B free, 1.00 GiB is kept free, and another program (process 4242) holds 7.00 GiB; it steps",
  );
  const blind = node([oracle]);
  blind.look({ gpu0: { memoryFree: 0, memoryUsed: 23 * GIB } }, 3);
  expect(blind.messages()[0]).toContain("about 7.00 GiB is held by something that is not in the plan");
});

test("says once that nothing can be done when no service of ours is there", () => {
  const { look, messages, keeper, take } = node([oracle]);
  keeper.gone("oracle");
  for (let again = 0; again < 10; again++) {
    look(low, 6);
    look({}, 3);
  }
  expect(take()).toEqual([]);
  expect(messages()).toEqual([
    "Nothing can be done about gpu0: gpu0 has 310.00 MiB free, 1.00 GiB is kept free; no service of Omni is loaded there.",
  ]);
});

test("a card that stays too hot is given less to do until it has been clearly cooler", () => {
  const { look, take, messages } = node([oracle]);
  look({ gpu0: { temperature: 91 } }, 3);
  expect(take()).toEqual(["oracle runs on rung 3 after a restart"]);
  expect(messages()[0]).toContain("gpu0 is at 91 °C, its limit is 88 °C");
  look({ gpu0: { temperature: 85 } }, 1000);
  expect(take()).toEqual([]);
});

test("short of main memory it steps down who frees some there", () => {
  const ladder = ladderOn("cpu", GIB, GIB);
  const { look, take } = node([oracle, ladderService("onHost", "cpu", ladder)]);
  look({}, 3, 300 * MIB);
  expect(take()).toEqual(["onHost runs on rung 1 after a restart"]);
});

test("what its owner steps down stays down until its owner steps it up", () => {
  const { keeper, look, take } = node([oracle]);
  expect(keeper.step("oracle", "down")).toBe(true);
  keeper.ready("oracle");
  expect(keeper.viewOf("oracle")).toMatchObject({
    rung: 1,
    because: "its owner stepped it down",
    backWhen: "when its owner steps it up",
  });
  look({}, 1000);
  expect(take()).toEqual(["oracle runs on rung 1 after a restart"]);
  expect([keeper.step("oracle", "up"), keeper.step("oracle", "up")]).toEqual([true, false]);
});

test("a lost card says nothing about room", () => {
  const { keeper, look, take } = node([oracle]);
  keeper.failed("oracle", OOM);
  keeper.ready("oracle");
  take();
  look({ gpu0: { lost: { since: 0, reason: "off the bus" } } }, 1000);
  expect(take()).toEqual([]);
});

test("another plan keeps the rung of a service whose ladder is the same, and gives back what others left for the rest", () => {
  const { keeper, take } = node([oracle]);
  keeper.predicted("oracle", [{ device: "gpu0", bytes: 4 * GIB }]);
  take();
  keeper.replan(ladderPlan([oracle]));
  expect(take()).toEqual([]);
  expect(keeper.viewOf("oracle")?.rung).toBe(4);
  keeper.replan(ladderPlan([ladderService("oracle", "gpu0", ladderOn("gpu0", 1, 1))]));
  expect(take()).toEqual(["restore helper for oracle"]);
  expect(keeper.viewOf("oracle")).toBeUndefined();
  expect(() => keeper.effective("nobody")).toThrow(RangeError);
});
