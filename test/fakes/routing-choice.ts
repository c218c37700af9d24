import type { Ask } from "../../src/gateway/ask.ts";
import type { RouterOptions } from "../../src/gateway/routing/create-router.ts";
import { createRouter } from "../../src/gateway/routing/create-router.ts";
import type { Choice, Router } from "../../src/gateway/routing/router.ts";
import type { Target } from "../../src/gateway/targets.ts";
import type { RouteRules } from "../../src/plan/plan.ts";
import { ANYBODY, RoutingNode, chatOf, viewOf } from "./routing-node.ts";

export const targetOf = (rules: RouteRules): Target => ({
  route: rules.route,
  services: rules.candidates.map(({ service }) => service),
  rules,
});

export function routerOver(node: RoutingNode, more: Partial<RouterOptions> = {}): Router {
  return createRouter({ backends: node, viewAge: 0, ...more });
}

/** A choice that needs nobody to be asked. */
export function chosen(router: Router, target: Target, ask: Ask = chatOf("hi"), key = "local"): Choice {
  const choice = router.choose(target, ask, { ...ANYBODY, key });
  if (choice instanceof Promise) throw new Error("the choice has to wait");
  return choice;
}

export const order = (router: Router, target: Target, ask?: Ask, key?: string): string =>
  chosen(router, target, ask, key).services.join(" ");

export const nodeOf = (...names: readonly string[]): RoutingNode =>
  new RoutingNode(names.map((name) => viewOf(name)));
/** Services of models of their own. */
export const different = (...names: readonly string[]): RoutingNode =>
  new RoutingNode(names.map((name) => viewOf(name, { model: name })));
