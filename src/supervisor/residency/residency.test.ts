import { expect, test } from "vitest";
import { MemoryEventLog } from "../../../test/fakes/memory-event-log.ts";
import { worldPlan } from "../../../test/fakes/residency-world.ts";
import type { WorldService } from "../../../test/fakes/residency-world.ts";
import { VirtualClock } from "../../../test/fakes/virtual-clock.ts";
import type { LoadControl } from "../load-control.ts";
import { createResidencyKeeper } from "./index.ts";

const MIN = 60_000;
const SWAP = { minResidency: MIN, ttl: 10 * MIN, maxWait: 5 * MIN };

/** Writes down what it is told and does nothing: tests say themselves what came of it. */
class Told implements LoadControl {
  readonly orders: string[] = [];
  refused: string | undefined;
  load(service: string): void | false {
    this.orders.push(`load ${service}`);
    if (service === this.refused) return false;
  }
  unload(service: string, how: { readonly drain: number; readonly sleep?: boolean }): void {
    this.orders.push(`${how.sleep === true ? "sleep" : "unload"} ${service} within ${how.drain}`);
  }
  take(): string[] {
    return this.orders.splice(0);
  }
}

function node(
  services: readonly Partial<WorldService>[] = [{ name: "chat" }, { name: "images" }],
  routes: readonly (readonly string[])[] = [],
) {
  const whole = services.map((service) => ({
    name: "?",
    devices: ["gpu0"],
    loadTime: 20_000,
    ...service,
  }));
  const names = whole.filter(({ devices }) => devices.includes("gpu0")).map(({ name }) => name);
  const clock = new VirtualClock();
  const events = new MemoryEventLog();
  const control = new Told();
  const plan = worldPlan(whole, [{ services: names, standing: names[0] ?? "" }], routes);
  const keeper = createResidencyKeeper({
    plan,
    policies: { swap: SWAP },
    clock,
    events,
    control,
    canSleep: (service) => service === "sleeper",
    loadTime: () => 20_000,
  });
  const load = (service: string): void => {
    keeper.stateChanged(service, "starting");
    keeper.stateChanged(service, "ready");
  };
  const leave = (service: string): void => {
    keeper.stateChanged(service, "draining");
    keeper.stateChanged(service, "unloaded");
  };
  const messages = (): string[] => events.events.map(({ message }) => message);
  return { clock, events, control, keeper, plan, load, leave, messages };
}

test("loads the standing service and those that need no turn at the start, and not before", () => {
  const { keeper, control } = node([
    { name: "chat" },
    { name: "images" },
    { name: "small", devices: ["cpu"] },
  ]);
  const withdraw = keeper.demand(["images"]);
  withdraw();
  expect(control.take()).toEqual([]);
  keeper.start();
  expect(control.take()).toEqual(["load chat", "load small"]);
});

test("lends the card after the minimum residency and brings the standing service back when the other is idle", () => {
  const { keeper, control, clock, load, leave, messages } = node();
  keeper.start();
  load("chat");
  control.take();
  clock.runUntil(10_000);
  const withdraw = keeper.demand(["images"]);
  expect(control.take()).toEqual([]);
  expect(keeper.outlook("images")).toEqual({
    eta: 70_000,
    position: 0,
    because: "images takes turns with chat, which is loaded",
  });
  clock.runUntil(MIN);
  expect(control.take()).toEqual([`unload chat within ${5 * MIN}`]);
  leave("chat");
  expect(control.take()).toEqual(["load images"]);
  expect(keeper.outlook("images")).toMatchObject({ eta: 20_000, because: "images is being loaded" });
  load("images");
  keeper.leaseTaken("images");
  withdraw();
  clock.runUntil(5 * MIN);
  keeper.leaseReleased("images");
  clock.runUntil(15 * MIN - 1);
  expect(control.take()).toEqual([]);
  clock.runUntil(15 * MIN);
  expect(control.take()).toEqual([`unload images within ${5 * MIN}`]);
  leave("images");
  expect(control.take()).toEqual(["load chat"]);
  expect(messages()).toEqual([
    "chat is loaded: it is loaded at the start.",
    "chat is unloaded: a request waits for images.",
    "images is loaded: a request waits for it.",
    "images is unloaded: nobody asked for it for a while.",
    "chat is loaded: nothing else needs its place.",
  ]);
});

test("lets a busy service answer while others wait, but not for ever, and says how many it still answers", () => {
  const { keeper, control, clock, load, messages } = node();
  keeper.start();
  load("chat");
  clock.runUntil(50_000);
  keeper.leaseTaken("chat");
  keeper.demand(["images"]);
  clock.runUntil(50_000 + MIN - 1);
  expect(control.take()).toEqual(["load chat"]);
  expect(keeper.outlook("images").because).toBe("images takes turns with chat, which answers a request");
  clock.runUntil(50_000 + MIN);
  expect(control.take()).toEqual([`unload chat within ${5 * MIN}`]);
  expect(messages().at(-1)).toBe(
    "chat is unloaded: a request waits for images; 1 request on it may finish first.",
  );
});

test("asks for the first choice, for the next when that cannot be had, and for none when one is there or comes", () => {
  const { keeper, control, load } = node([
    { name: "chat" },
    { name: "images" },
    { name: "small", devices: ["cpu"], ttl: MIN },
  ]);
  keeper.start();
  load("chat");
  keeper.stateChanged("small", "failed");
  control.take();
  keeper.demand(["images", "chat"]);
  expect(control.take()).toEqual([]);
  keeper.ban("chat", "oracle");
  expect(control.take()).toEqual([`unload chat within ${5 * MIN}`]);
  keeper.stateChanged("chat", "unloaded");
  expect(control.take()).toEqual(["load images"]);
  keeper.demand(["small", "images"]);
  expect(control.take()).toEqual([]);
  keeper.stateChanged("images", "failed");
  expect(control.take()).toEqual([]);
  expect(keeper.outlook("images")).toEqual({
    eta: 50_000,
    position: 0,
    because: "the last load of images failed; it is tried again in 30.0 s",
  });
  expect(keeper.outlook("chat")).toEqual({ position: 0, because: "chat makes room for oracle" });
});

test("tries a failed model again only after a wait that doubles, whoever asks", () => {
  const { keeper, control, clock, messages } = node();
  keeper.start();
  keeper.stateChanged("chat", "failed");
  control.take();
  keeper.demand(["chat"]);
  clock.runUntil(29_999);
  expect(control.take()).toEqual([]);
  clock.runUntil(30_000);
  expect(control.take()).toEqual(["load chat"]);
  keeper.stateChanged("chat", "failed");
  clock.runUntil(89_999);
  expect(control.take()).toEqual([]);
  clock.runUntil(90_000);
  expect(control.take()).toEqual(["load chat"]);
  expect(messages()).toContain(
    "Loading chat failed 2 times in a row; requests do not load it again for 1 m 0 s.",
  );
});

test("what its owner loads comes at once; what its owner unloads stays away until it is asked for", () => {
  const { keeper, control, load, leave } = node();
  keeper.start();
  load("chat");
  control.take();
  keeper.load("images", "try it");
  expect(control.take()).toEqual([`unload chat within ${5 * MIN}`]);
  leave("chat");
  expect(control.take()).toEqual(["load images"]);
  load("images");
  keeper.unload("images", "enough");
  expect(control.take()).toEqual([`unload images within ${5 * MIN}`]);
  leave("images");
  expect(control.take()).toEqual(["load chat"]);
  load("chat");
  keeper.unload("chat", "enough");
  leave("chat");
  expect(control.take()).toEqual([`unload chat within ${5 * MIN}`]);
  keeper.demand(["chat"]);
  expect(control.take()).toEqual(["load chat"]);
});

test("a pinned service refuses and says so, to its owner, to a request and to the ladder", () => {
  const { keeper, control, load, messages } = node([{ name: "chat", pinned: true }, { name: "images" }]);
  keeper.start();
  load("chat");
  control.take();
  keeper.load("images", "try it");
  keeper.demand(["images"]);
  keeper.ban("chat", "oracle");
  expect(control.take()).toEqual([]);
  expect(messages().slice(1)).toEqual([
    "images gets no room: chat is pinned and never makes room, so not for images either.",
    "images gets no room: chat is pinned and never makes room, so not for images either.",
    "chat gets no room: chat is pinned and never makes room, so not for oracle either.",
  ]);
  expect(keeper.outlook("images").because).toBe(
    "chat is pinned and never makes room, so not for images either",
  );
});

test("sleeps where the engine can, and reckons with what waking took", () => {
  const { keeper, control, clock, load, leave } = node([{ name: "sleeper" }, { name: "images" }]);
  keeper.start();
  load("sleeper");
  clock.runUntil(MIN);
  control.take();
  const withdraw = keeper.demand(["images"]);
  expect(control.take()).toEqual([`sleep sleeper within ${5 * MIN}`]);
  keeper.stateChanged("sleeper", "draining");
  keeper.stateChanged("sleeper", "asleep");
  expect(control.take()).toEqual(["load images"]);
  load("images");
  withdraw();
  clock.runUntil(3 * MIN);
  keeper.demand(["sleeper"]);
  leave("images");
  expect(control.take()).toEqual([`unload images within ${5 * MIN}`, "load sleeper"]);
  expect(keeper.outlook("sleeper").eta).toBe(4000);
  keeper.stateChanged("sleeper", "starting");
  clock.runUntil(3 * MIN + 2500);
  keeper.stateChanged("sleeper", "ready");
  keeper.stateChanged("sleeper", "draining");
  keeper.stateChanged("sleeper", "asleep");
  expect(keeper.outlook("sleeper").eta).toBe(2500);
});

test("of two that an earlier run left loaded together, the one worth less to keep leaves", () => {
  const { keeper, control, load } = node([{ name: "chat" }, { name: "images", priority: 8 }]);
  load("chat");
  load("images");
  expect(control.take()).toEqual([]);
  keeper.start();
  expect(control.take()).toEqual([`unload chat within ${5 * MIN}`]);
});

test("does not trust an order that nobody answers, and takes old news for none", () => {
  const { keeper, control, clock, messages } = node();
  keeper.start();
  keeper.stateChanged("chat", "unloaded");
  expect(control.take()).toEqual(["load chat"]);
  clock.runUntil(MIN);
  expect(messages()).toContain("chat was told to load and nothing came of it.");
  keeper.demand(["chat"]);
  clock.runUntil(MIN + 30_000);
  expect(control.take()).toEqual(["load chat"]);
});

test("whom others left for is next, however important those are who wait to come back", () => {
  const { keeper, control, clock, load, leave } = node([
    { name: "chat", priority: 9 },
    { name: "images", priority: 0 },
  ]);
  keeper.start();
  load("chat");
  control.take();
  keeper.leaseTaken("chat");
  keeper.demand(["images"]);
  clock.runUntil(2 * MIN);
  expect(control.take()).toEqual([`unload chat within ${5 * MIN}`]);
  keeper.stateChanged("chat", "draining");
  keeper.demand(["chat"]);
  keeper.leaseReleased("chat");
  leave("chat");
  expect(control.take()).toEqual(["load images"]);
  expect(keeper.outlook("chat")).toEqual({
    eta: 100_000,
    position: 0,
    because: "chat takes turns with images, which is being loaded",
  });
});

test("takes old news for none: what is told to leave is not there, although it says once more that it is", () => {
  const { keeper, control, load } = node();
  keeper.start();
  load("chat");
  keeper.unload("chat", "enough");
  keeper.stateChanged("chat", "ready");
  expect(keeper.outlook("chat").because).toBe("chat is being unloaded");
  keeper.stateChanged("chat", "draining");
  keeper.stateChanged("chat", "unloaded");
  expect(control.take()).toEqual(["load chat", `unload chat within ${5 * MIN}`]);
});

test("comes back before the other's ttl when a fallback has to answer in its place", () => {
  const fleet = [{ name: "chat" }, { name: "images" }, { name: "small", devices: ["cpu"] }];
  const { keeper, control, clock, load, leave, messages } = node(fleet, [["chat", "small"]]);
  keeper.start();
  load("chat");
  load("small");
  clock.runUntil(MIN);
  const withdraw = keeper.demand(["images"]);
  leave("chat");
  load("images");
  withdraw();
  control.take();
  clock.runUntil(90_000);
  keeper.leaseTaken("small");
  keeper.leaseReleased("small");
  clock.runUntil(2 * MIN - 1);
  expect(control.take()).toEqual([]);
  clock.runUntil(2 * MIN);
  expect(control.take()).toEqual([`unload images within ${5 * MIN}`]);
  expect(messages().at(-1)).toBe("images is unloaded: chat is missed and it is idle.");
  leave("images");
  expect(control.take()).toEqual(["load chat"]);
});

test("does not hold a card for a service that cannot be loaded", () => {
  const { keeper, control, messages } = node();
  control.refused = "chat";
  keeper.start();
  keeper.demand(["chat"]);
  keeper.demand(["images"]);
  expect(control.take()).toEqual(["load chat", "load images"]);
  expect(messages()).toContain("Loading chat failed; requests do not load it again for 30.0 s.");
});

test("goes on with another plan: the services that stay keep their place, the new ones get one", () => {
  const { keeper, control, load, plan } = node();
  keeper.start();
  load("chat");
  control.take();
  const other = worldPlan(
    [
      { name: "chat", devices: ["gpu0"], loadTime: 1 },
      { name: "extra", devices: ["cpu"], loadTime: 1 },
    ],
    [],
  );
  keeper.replan(other);
  expect(control.take()).toEqual(["load extra"]);
  expect(keeper.outlook("images").because).toBe("images is not in the plan");
  expect(keeper.outlook("chat").eta).toBe(0);
  keeper.replan(plan);
  expect(keeper.outlook("images").because).toBe("images takes turns with chat, which is loaded");
});

test("has no timer when nothing changes by itself, and none after its end", () => {
  const { keeper, clock, load } = node([{ name: "chat" }]);
  keeper.start();
  load("chat");
  clock.runUntil(10 * MIN);
  expect(clock.waiting).toBe(0);
  keeper.demand(["chat"]);
  keeper.leaseTaken("chat");
  keeper.leaseReleased("chat");
  expect(clock.waiting).toBe(0);
  keeper.close();
  keeper.stateChanged("chat", "failed");
  expect(clock.waiting).toBe(0);
});
