import { expect, test } from "vitest";

import {
  chosen,
  different,
  nodeOf,
  order,
  routerOver,
  targetOf,
} from "../../../test/fakes/routing-choice.ts";
import { ANYBODY, RoutingNode, askOf, chatOf, rulesOf, viewOf } from "../../../test/fakes/routing-node.ts";

test("ordered services stay in order, whatever their load", () => {
  const router = routerOver(different("a", "b", "c"));
  const target = targetOf(rulesOf(["a", "b", "c"], { sticky: "prefix" }));
  for (let at = 0; at < 5; at++) router.began("a", chatOf("x".repeat(5_000)));
  expect(order(router, target, chatOf("x".repeat(2_000)))).toBe("a b c");
});

test("a route without rules keeps its order and needs no view", () => {
  expect(order(routerOver(new RoutingNode([])), { route: "r", services: ["a", "b"] })).toBe("a b");
});

test("conditions: key, header, hour, need and length decide; without any a candidate always may", () => {
  let time = new Date(2026, 10, 22, 23, 30).getTime();
  const router = routerOver(different("key", "head", "night", "see", "long", "rest"), { now: () => time });
  const target = targetOf(
    rulesOf([
      { service: "key", weight: 1, when: { keys: ["alice"] } },
      { service: "head", weight: 1, when: { headers: { "x-tier": "gold" } } },
      { service: "night", weight: 1, when: { hours: { from: 22 * 60, to: 6 * 60 } } },
      { service: "see", weight: 1, when: { needs: ["vision"] } },
      { service: "long", weight: 1, when: { promptTokens: { above: 8_192 } } },
      { service: "rest", weight: 1 },
    ]),
  );
  expect(order(router, target)).toBe("night rest");
  time = new Date(2026, 10, 22, 12, 0).getTime();
  expect(order(router, target)).toBe("rest");
  expect(order(router, target, chatOf("hi"), "alice")).toBe("key rest");
  expect(order(router, target, askOf({ messages: [] }, "chat", { "x-tier": "gold" }))).toBe("head rest");
  expect(order(router, target, askOf({ messages: [{ content: [{ type: "image_url" }] }] }))).toBe("see rest");
  expect(order(router, target, chatOf("word ".repeat(12_000)))).toBe("long rest");
  const reasons = new Map(chosen(router, target).skipped.map(({ service, why }) => [service, why]));
  expect(Object.fromEntries(reasons)).toEqual({
    key: 'it is for other keys than "local"',
    head: 'it is for requests with "x-tier: gold"',
    night: "it is for the hours from 22:00 to 06:00",
    see: "it is for requests that need vision",
    long: "it is for prompts above 8 192 tokens",
  });
});

test("conditions that exclude all leave nobody, each with its reason", () => {
  const target = targetOf(rulesOf([{ service: "a", weight: 1, when: { keys: ["alice"] } }]));
  expect(chosen(routerOver(nodeOf("a")), target)).toMatchObject({
    services: [],
    skipped: [{ service: "a", why: 'it is for other keys than "local"', because: "condition" }],
  });
});

test("a service that says what it offers and lacks what is needed is skipped", () => {
  const node = new RoutingNode([
    viewOf("blind", { model: "blind", capabilities: ["chat", "tools"] }),
    viewOf("silent", { model: "silent" }),
  ]);
  const target = targetOf(rulesOf(["blind", "silent"]));
  const picture = askOf({
    messages: [{ content: [{ type: "image_url", image_url: { url: "https://p" } }] }],
  });
  const choice = chosen(routerOver(node), target, picture);
  expect(choice.services).toEqual(["silent"]);
  expect(choice.skipped).toEqual([{ service: "blind", why: "it does not offer vision", because: "needs" }]);
});

test("a window that is too small is skipped before the call; where all are, the arithmetic says so", () => {
  const node = new RoutingNode([
    viewOf("small", { model: "s", contextTokens: 4_096 }),
    viewOf("large", { model: "l", contextTokens: 131_072 }),
  ]);
  const target = targetOf(rulesOf(["small", "large"]));
  const long = chatOf("word ".repeat(10_000));
  expect(order(routerOver(node), target, chatOf("hello"))).toBe("small large");
  const choice = chosen(routerOver(node), target, long);
  expect(choice.services).toEqual(["large"]);
  expect(choice.skipped[0]?.why).toMatch(/^needs at least 9 0\d\d tokens, window 4 096$/);
  node.set("large", { contextTokens: 8_192 });
  const none = chosen(routerOver(node), target, long);
  expect(none.services).toEqual([]);
  expect(none.skipped.map(({ service, because }) => `${service} ${because}`)).toEqual([
    "small window",
    "large window",
  ]);
});

test("an unknown window skips nobody", () => {
  const node = new RoutingNode([viewOf("remote", { contextTokens: 0 })]);
  expect(order(routerOver(node), targetOf(rulesOf(["remote"])), chatOf("word ".repeat(100_000)))).toBe(
    "remote",
  );
});

test("who has no room for the whole answer comes after who has", () => {
  const node = new RoutingNode([
    viewOf("small", { model: "s", contextTokens: 8_192 }),
    viewOf("large", { model: "l", contextTokens: 65_536 }),
  ]);
  const router = routerOver(node);
  const target = targetOf(rulesOf(["small", "large"]));
  expect(order(router, target, chatOf("hi", { max_tokens: 1_000 }))).toBe("small large");
  expect(order(router, target, chatOf("hi", { max_tokens: 32_000 }))).toBe("large small");
  expect(order(router, targetOf(rulesOf(["small"])), chatOf("hi", { max_tokens: 32_000 }))).toBe("small");
});

test("the tokenizer is asked only where the bounds leave the choice open, and then decides", async () => {
  const node = new RoutingNode([
    viewOf("small", { model: "s", contextTokens: 8_192 }),
    viewOf("large", { model: "l", contextTokens: 131_072 }),
  ]);
  const asked: string[] = [];
  let tokens: number | undefined = 5_000;
  const router = routerOver(node, {
    countTokens: (service, text) => {
      asked.push(`${service} ${text.length}`);
      return Promise.resolve(tokens);
    },
  });
  const target = targetOf(rulesOf(["small", "large"]));
  expect(order(router, target, chatOf("hi"))).toBe("small large");
  expect(order(router, target, chatOf("word ".repeat(10_000)))).toBe("large");
  expect(asked).toEqual([]);
  const middle = chatOf("sesquipedalian ".repeat(1_000));
  const services = async (): Promise<string> =>
    (await router.choose(target, middle, ANYBODY)).services.join(" ");
  expect(await services()).toBe("small large");
  expect(asked).toEqual(["small 15000"]);
  tokens = 9_000;
  expect(await services()).toBe("large");
  // Nobody tells: 15 000 bytes are taken for 5 000 tokens.
  tokens = undefined;
  expect(await services()).toBe("small large");
  expect(asked.slice(2)).toEqual(["small 15000", "large 15000"]);
});

test("equal windows are not worth a question: the engine itself says no", () => {
  const router = routerOver(nodeOf("a", "b"), { countTokens: () => Promise.resolve(1) });
  expect(order(router, targetOf(rulesOf(["a", "b"])), chatOf("x".repeat(60_000)))).toBe("a b");
});

test("who stands in for a service that stepped down is asked, for long prompts or for all", () => {
  const node = different("a", "b", "c");
  const router = routerOver(node);
  const target = targetOf(rulesOf(["a", "b"]));
  node.diversions.set("a", { to: "c", above: 2_000 });
  expect(order(router, target, chatOf("short"))).toBe("a b");
  expect(order(router, target, chatOf("word ".repeat(4_000)))).toBe("c b");
  // Without words: a little more than half of the digits is taken for tokens.
  expect(order(router, target, chatOf("1".repeat(4_500)))).toBe("c b");
  expect(order(router, target, chatOf("1".repeat(3_000)))).toBe("a b");
  node.diversions.set("a", { to: "b" });
  expect(order(router, target)).toBe("b");
  node.diversions.set("b", { to: "a" });
  // A circle ends where it began.
  expect(order(router, target)).toBe("a b");
});
