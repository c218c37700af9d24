import type { Spec } from "../spec/spec.ts";
import type { PlannedRoute, PlannedService } from "./plan.ts";

/**
 * Every name a client may ask for, once: routes and their aliases first, then services, roles and models. Services
 * that were not placed are left out; a route that has none left is not listed. A service stands for all its replicas.
 */
export function planRoutes(spec: Spec, placed: readonly PlannedService[]): PlannedRoute[] {
  const replicas = Map.groupBy(placed, (service) => service.replicaOf ?? service.name);
  const routes = new Map<string, readonly string[]>();
  const add = (name: string, services: readonly string[]): void => {
    const left = services.flatMap((service) => (replicas.get(service) ?? []).map((replica) => replica.name));
    if (left.length > 0 && !routes.has(name)) routes.set(name, left);
  };
  for (const [name, route] of Object.entries(spec.routes)) {
    const services = route.services.map((candidate) => candidate.service);
    for (const known of [name, ...route.aliases]) add(known, services);
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
  return [...routes].map(([name, services]) => ({ name, services }));
}
