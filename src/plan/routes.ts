import { present } from "../core/index.ts";
import type { Spec } from "../spec/spec.ts";
import type { PlannedRoute, PlannedService, RouteCandidate, RouteCondition, RouteRules } from "./plan.ts";

type Route = Spec["routes"][string];
type Candidate = Route["services"][number];

/**
 * Every name a client may ask for, once: routes and their aliases first, then services, roles and models. Services
 * that were not placed are left out; a route that has none left is not listed. A service stands for all its replicas.
 */
export function planRoutes(spec: Spec, placed: readonly PlannedService[]): PlannedRoute[] {
  const replicas = Map.groupBy(placed, (service) => service.replicaOf ?? service.name);
  const placedAs = (service: string): string[] =>
    (replicas.get(service) ?? []).map((replica) => replica.name);
  const routes = new Map<string, PlannedRoute>();
  const add = (name: string, services: readonly string[], rules?: RouteRules): void => {
    const left = services.flatMap(placedAs);
    if (left.length === 0 || routes.has(name)) return;
    routes.set(name, { name, services: left, ...present({ rules }) });
  };
  for (const [name, route] of Object.entries(spec.routes)) {
    const services = route.services.map((candidate) => candidate.service);
    const rules = rulesOf(name, route, placedAs);
    for (const known of [name, ...route.aliases]) add(known, services, rules);
  }
  const settings = Object.entries(spec.services);
  for (const [name] of settings) add(name, [name]);
  for (const [, { role }] of settings) {
    if (role !== undefined)
      add(
        role,
        settings.filter(([, other]) => other.role === role).map(([name]) => name),
      );
  }
  const models = Map.groupBy(placed, (service) => service.model.name);
  for (const [model, serving] of models)
    add(model, [...new Set(serving.map((service) => service.replicaOf ?? service.name))]);
  return [...routes.values()];
}

const rulesOf = (name: string, route: Route, placedAs: (service: string) => string[]): RouteRules => ({
  route: name,
  strategy: route.strategy,
  sticky: route.sticky,
  retries: route.retries,
  continue: route.continue,
  ...(route.hedge === undefined
    ? {}
    : { hedge: { after: route.hedge.after, ...present({ below: route.hedge.below }) } }),
  timeouts: { ...route.timeouts },
  candidates: route.services.flatMap((candidate) =>
    placedAs(candidate.service).map((service) => candidateOf(service, candidate)),
  ),
});

const candidateOf = (service: string, { weight, when, maxConcurrent }: Candidate): RouteCandidate => ({
  service,
  weight: weight ?? 1,
  ...(when === undefined ? {} : { when: conditionOf(when) }),
  ...present({ maxConcurrent }),
});

function conditionOf(when: NonNullable<Candidate["when"]>): RouteCondition {
  const { promptTokens, needs, keys, headers, hours } = when;
  return {
    ...present({ needs, keys, hours }),
    ...(promptTokens === undefined ? {} : { promptTokens: present(promptTokens) }),
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value]),
          ),
        }),
  };
}
