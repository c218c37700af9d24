import { expect, test } from "vitest";

import { ANYBODY, RoutingNode, rulesOf, viewOf } from "../../test/fakes/routing-node.ts";
import type { Caller } from "../keys/caller.ts";
import type { Target } from "./targets.ts";
import { findTarget, knownNames } from "./targets.ts";

const chat = rulesOf(["oracle", "oracle-2", "executor"]);
const node = new RoutingNode(
  [
    viewOf("oracle", { model: "qwen" }),
    viewOf("oracle-2", { model: "qwen" }),
    viewOf("executor", { model: "phi" }),
  ],
  [
    { name: "chat", services: ["oracle", "oracle-2", "executor"], rules: chat },
    { name: "gpt-4", services: ["oracle", "oracle-2", "executor"], rules: chat },
    { name: "oracle", services: ["oracle", "oracle-2"] },
    { name: "executor", services: ["executor"] },
    { name: "helper", services: ["executor"] },
    { name: "qwen", services: ["oracle", "oracle-2"] },
    { name: "phi", services: ["executor"] },
  ],
);

const only = (...routes: readonly string[]): Caller => ({ ...ANYBODY, routes });

function target(name: string | undefined, caller?: Caller): Target {
  const found = findTarget(node, name, caller);
  if ("status" in found) throw new Error(found.message);
  return found;
}

function refusal(name: string | undefined, caller?: Caller): string {
  const found = findTarget(node, name, caller);
  if (!("status" in found)) throw new Error("it was found");
  return `${found.status} ${found.code}: ${found.message}`;
}

test("a route, its aliases, a service for its replicas, a role, a model and a replica by its own name", () => {
  expect(target("chat")).toMatchObject({ route: "chat", rules: chat });
  expect(target("gpt-4")).toMatchObject({ route: "chat", rules: chat });
  expect(target("oracle")).toMatchObject({ route: "oracle", services: ["oracle", "oracle-2"] });
  expect(target("oracle").rules).toBeUndefined();
  expect(target("helper").services).toEqual(["executor"]);
  expect(target("qwen").services).toEqual(["oracle", "oracle-2"]);
  expect(target("oracle-2").services).toEqual(["oracle-2"]);
  expect(target("chat")).toBe(target("chat"));
});

test("a request without a model goes to the only route of the spec", () => {
  expect(target(undefined).route).toBe("chat");
  expect(target("").route).toBe("chat");
  const two = new RoutingNode(node.views, [
    ...node.routes(),
    { name: "other", services: ["executor"], rules: rulesOf(["executor"], { route: "other" }) },
  ]);
  expect(findTarget(two, undefined)).toMatchObject({
    status: 400,
    code: "model_required",
    message: expect.stringContaining("this node has 2 routes. Choose one of: chat, gpt-4, oracle"),
  });
  expect(findTarget(two, undefined, only("other"))).toMatchObject({ route: "other" });
});

test("without routes of the spec, all names of one service stand for it", () => {
  const one = new RoutingNode(
    [viewOf("oracle", { model: "qwen" })],
    [
      { name: "oracle", services: ["oracle"] },
      { name: "qwen", services: ["oracle"] },
    ],
  );
  expect(findTarget(one, undefined)).toMatchObject({ services: ["oracle"] });
  expect(findTarget(new RoutingNode([viewOf("a")]), undefined)).toMatchObject({
    route: "a",
    services: ["a"],
  });
});

test("an unknown name is 404 with the nearest", () => {
  expect(refusal("ortacle")).toBe(
    '404 model_not_found: The model "ortacle" does not exist on this node. Did you mean "oracle"? Known models: chat, gpt-4, oracle, executor, helper, qwen, phi, oracle-2.',
  );
});

test("what a key may use: any name of its route, and what leads to its services and models alone", () => {
  expect(target("gpt-4", only("chat")).route).toBe("chat");
  expect(target("chat", only("gpt-4")).route).toBe("chat");
  expect(target("oracle-2", only("oracle-2")).services).toEqual(["oracle-2"]);
  expect(target("oracle", only("qwen")).route).toBe("oracle");
  expect(target("helper", only("phi")).services).toEqual(["executor"]);
});

test("what it may not use does not exist for it, and is not listed", () => {
  // The route leads to the executor as well.
  expect(refusal("chat", only("qwen"))).toMatch(/^404 .* Known models: oracle, qwen/);
  expect(refusal("oracle", only("chat"))).toMatch(/Known models: chat, gpt-4\.$/);
  expect(knownNames(node, only("chat"))).toEqual(["chat", "gpt-4"]);
  expect(knownNames(node, only("phi"))).toEqual(["executor", "helper", "phi"]);
  expect(knownNames(node)).toContain("oracle-2");
});
