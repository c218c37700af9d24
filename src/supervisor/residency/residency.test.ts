import { expect, test } from "vitest";
import { MIN, residencyNode as node } from "../../../test/fakes/residency-node.ts";

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
