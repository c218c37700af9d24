import { expect, test } from "vitest";
import { MIN, residencyNode as node } from "../../../test/fakes/residency-node.ts";
import { worldPlan } from "../../../test/fakes/residency-world.ts";

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
