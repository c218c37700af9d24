import fc from "fast-check";
import { expect, test } from "vitest";

import {
  chosen,
  different,
  nodeOf,
  order,
  routerOver,
  targetOf,
} from "../../../test/fakes/routing-choice.ts";
import { RoutingNode, askOf, chatOf, rulesOf, viewOf } from "../../../test/fakes/routing-node.ts";
import type { NewEvent, NodeEvent } from "../../core/index.ts";
import type { Ask } from "../ask.ts";

test("weights converge exactly, the rest follows as fallbacks", () => {
  const router = routerOver(different("a", "b", "c"));
  const target = targetOf(
    rulesOf(
      [
        { service: "a", weight: 7 },
        { service: "b", weight: 2 },
        { service: "c", weight: 1 },
      ],
      { strategy: "weighted", sticky: "prefix" },
    ),
  );
  const first = new Map<string, number>();
  for (let at = 0; at < 100; at++) {
    const { services } = chosen(router, target, chatOf("the same prompt for all ".repeat(50)));
    expect(services.toSorted()).toEqual(["a", "b", "c"]);
    first.set(services[0] ?? "", (first.get(services[0] ?? "") ?? 0) + 1);
  }
  expect(Object.fromEntries(first)).toEqual({ a: 70, b: 20, c: 10 });
});

test("least loaded: tokens in flight for what a service can do, its engine's queue and cache", () => {
  const node = different("a", "b");
  const router = routerOver(node);
  const target = targetOf(rulesOf(["a", "b"], { strategy: "least-loaded" }));
  expect(order(router, target)).toBe("a b");
  const ended = router.began("a", chatOf("x".repeat(9_000)));
  expect(order(router, target)).toBe("b a");
  const others = [router.began("b", chatOf("hi")), router.began("b", chatOf("hi"))];
  // Two small requests weigh less than one long.
  expect(order(router, target)).toBe("b a");
  ended("answered", 10);
  expect(order(router, target)).toBe("a b");
  for (const end of others) end("answered", 10);
  node.set("a", { load: { running: 4, waiting: 9 } });
  expect(order(router, target)).toBe("b a");
  node.set("a", { load: { running: 0, waiting: 0, kvUsed: 0.99 } });
  expect(order(router, target)).toBe("b a");
  node.set("a", { load: {}, state: "loading" });
  node.set("b", { load: { waiting: 50 } });
  expect(order(router, target)).toBe("b a");
});

test("a service with twice the slots takes twice the work", () => {
  const node = new RoutingNode([viewOf("wide", { model: "w", parallel: 8 }), viewOf("slim", { model: "s" })]);
  const router = routerOver(node);
  const target = targetOf(rulesOf(["wide", "slim"], { strategy: "least-loaded" }));
  const taken = { wide: 0, slim: 0 };
  for (let at = 0; at < 30; at++) {
    const service = chosen(router, target).services[0] === "wide" ? "wide" : "slim";
    taken[service]++;
    router.began(service, chatOf("hi"));
  }
  expect(taken).toEqual({ wide: 20, slim: 10 });
});

const conversation = (name: number, turns: number): Ask =>
  askOf({
    messages: Array.from({ length: turns }, (_, turn) => ({
      role: turn % 2 === 0 ? "user" : "assistant",
      content: `${name} says ${turn}: ${"words and words ".repeat(40)}`,
    })),
  });

test.each(["ordered", "weighted", "least-loaded"] as const)(
  "%s: a conversation stays at its replica, and conversations are spread",
  (strategy) => {
    const names = ["r1", "r2", "r3", "r4"];
    const router = routerOver(nodeOf(...names));
    const target = targetOf(rulesOf(names, { strategy, sticky: "prefix" }));
    const homes = new Map<number, string>();
    for (let turns = 1; turns <= 9; turns += 2) {
      for (let name = 0; name < 60; name++) {
        const ask = conversation(name, turns);
        const [home = ""] = chosen(router, target, ask).services;
        router.began(home, ask)("answered", 5);
        expect(home).toBe(homes.get(name) ?? home);
        homes.set(name, home);
      }
    }
    const counts = names.map((name) => [...homes.values()].filter((home) => home === name).length);
    expect(Math.min(...counts)).toBeGreaterThan(5);
  },
);

test("another gateway process sends a new conversation to the same replica", () => {
  const names = ["r1", "r2", "r3"];
  const target = targetOf(rulesOf(names, { sticky: "prefix" }));
  const [one, other] = [routerOver(nodeOf(...names)), routerOver(nodeOf(...names))];
  for (let name = 0; name < 30; name++) {
    expect(order(one, target, conversation(name, 1))).toBe(order(other, target, conversation(name, 1)));
  }
});

test("a replica with more than its share is left for the next one, and its cache is missed no longer than that", () => {
  const names = ["r1", "r2"];
  const router = routerOver(nodeOf(...names));
  const target = targetOf(rulesOf(names, { sticky: "prefix" }));
  const ask = conversation(1, 1);
  const [home = ""] = chosen(router, target, ask).services;
  const running = Array.from({ length: 6 }, () => router.began(home, conversation(2, 1)));
  expect(chosen(router, target, ask).services[0]).not.toBe(home);
  for (const end of running) end("answered", 5);
  expect(chosen(router, target, ask).services[0]).toBe(home);
});

test("sessions stick by header, user or metadata, also between different models", () => {
  const names = ["a", "b", "c", "d"];
  const router = routerOver(different(...names));
  const target = targetOf(rulesOf(names, { strategy: "weighted", sticky: "session" }));
  const firsts = new Set<string>();
  for (let session = 0; session < 40; session++) {
    const asks = [
      askOf({ messages: [] }, "chat", { "x-session-id": `s${session}` }),
      chatOf("hi", { user: `u${session}` }),
      askOf({ messages: [], metadata: { user_id: `m${session}` } }, "messages"),
      chatOf("hi", { prompt_cache_key: `k${session}` }),
    ];
    for (const ask of asks) {
      const [first = ""] = chosen(router, target, ask).services;
      for (let again = 0; again < 3; again++) expect(chosen(router, target, ask).services[0]).toBe(first);
      firsts.add(first);
    }
  }
  expect([...firsts].toSorted()).toEqual(names);
});

test("bounds go out by service, with the route's own name", () => {
  const target = targetOf(rulesOf([{ service: "a", weight: 1, maxConcurrent: 2 }, "b"]));
  expect([...(chosen(routerOver(different("a", "b")), target).bounds ?? [])]).toEqual([
    ["a", { route: "chat", limit: 2 }],
  ]);
  expect(chosen(routerOver(nodeOf("a")), targetOf(rulesOf(["a"]))).bounds).toBeUndefined();
});

class Log {
  readonly events: NewEvent[] = [];
  readonly record = (event: NewEvent): NodeEvent => {
    this.events.push(event);
    return { ...event, seq: this.events.length, time: 0 };
  };
}

test("a service that breaks is set aside, probed by one request and let in again, with an event each", () => {
  let now = 0;
  const log = new Log();
  const router = routerOver(different("a", "b"), { clock: () => now, events: log });
  const target = targetOf(rulesOf(["a", "b"]));
  for (let at = 0; at < 5; at++) router.began("a", chatOf("hi"))("broken", 5);
  const choice = chosen(router, target);
  expect(choice.services).toEqual(["b"]);
  expect(choice.skipped).toEqual([
    { service: "a", why: "its last tries broke; it is left out for another 5.0 s", because: "ejected" },
  ]);
  now = 5_000;
  expect(order(router, target)).toBe("a b");
  expect(order(router, target)).toBe("b");
  router.began("a", chatOf("hi"))("answered", 5);
  expect(order(router, target)).toBe("a b");
  expect(
    log.events.map(({ kind, severity, service, message }) => [kind, severity, service, message]),
  ).toEqual([
    [
      "gateway.ejected",
      "warning",
      "a",
      'Requests leave service "a" out for 5.0 s, as long as another can answer: 5 tries in a row broke.',
    ],
    ["gateway.readmitted", "info", "a", 'Requests go to service "a" again: a probe was answered.'],
  ]);
});

test("ejection never empties a choice, whatever breaks", () => {
  const names = ["a", "b", "c"];
  const step = fc.record({
    service: fc.constantFrom(...names),
    outcome: fc.constantFrom("answered" as const, "broken" as const, "broken" as const, "unblamed" as const),
    time: fc.nat(3_000),
    down: fc.option(fc.constantFrom(...names), { nil: undefined }),
    strategy: fc.constantFrom("ordered" as const, "weighted" as const, "least-loaded" as const),
    sticky: fc.constantFrom("none" as const, "session" as const, "prefix" as const),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, same) => {
      let now = 0;
      const node = same ? nodeOf(...names) : different(...names);
      const router = routerOver(node, { clock: () => now });
      for (const { service, outcome, time, down, strategy, sticky } of steps) {
        now += time;
        for (const name of names) node.set(name, { state: name === down ? "loading" : "ready" });
        router.began(service, chatOf("hi"))(outcome, 1);
        const ask = conversation(time % 7, 1);
        const { services } = chosen(router, targetOf(rulesOf(names, { strategy, sticky })), ask);
        expect(services.some((name) => name !== down)).toBe(true);
        expect(new Set(services).size).toBe(services.length);
      }
    }),
    { numRuns: 60 },
  );
});

test("the ending of a try counts once", () => {
  const router = routerOver(different("a", "b"));
  const end = router.began("a", chatOf("hi"));
  for (let at = 0; at < 10; at++) end("broken", 1);
  expect(order(router, targetOf(rulesOf(["a", "b"])))).toBe("a b");
});
