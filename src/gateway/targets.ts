import { nearest } from "../core/index.ts";
import type { Backends } from "../supervisor/backends.ts";
import type { WireError } from "./wire-error.ts";
import { badRequest } from "./wire-error.ts";

/** What a requested name stands for: services in the order in which they are tried. */
export interface Target {
  /** The route's name, or the service's own when it was asked for directly. */
  readonly route: string;
  readonly services: readonly string[];
}

const MAX_SHOWN = 100;

/**
 * Finds what a name stands for: a route first, then a service, then a model that some services serve. A request
 * without a model goes to the only route, or to the only service of a node without routes.
 */
export function findTarget(backends: Backends, model: string | undefined): Target | WireError {
  if (model === undefined || model === "") return onlyTarget(backends);
  const route = backends.routes().find((r) => r.name === model);
  if (route !== undefined) return { route: route.name, services: route.services };
  const services = backends.services();
  if (services.some((s) => s.name === model)) return { route: model, services: [model] };
  const serving = services.filter((s) => s.model === model).map((s) => s.name);
  if (serving.length > 0) return { route: model, services: serving };
  return unknownModel(model, knownNames(backends));
}

function onlyTarget(backends: Backends): Target | WireError {
  const routes = backends.routes();
  const services = backends.services();
  const [route] = routes;
  if (route !== undefined && routes.length === 1) return { route: route.name, services: route.services };
  const [service] = services;
  if (routes.length === 0 && service !== undefined && services.length === 1) {
    return { route: service.name, services: [service.name] };
  }
  const known = knownNames(backends);
  const choice = known.length === 0 ? "This node serves none yet." : `Choose one of: ${known.join(", ")}.`;
  return badRequest(
    "model_required",
    `The request names no model, and this node has ${routes.length} routes. ${choice}`,
    "model",
  );
}

/** Every name that a request may ask for, routes first, without doubles. */
export function knownNames(backends: Backends): string[] {
  return [...new Set([...backends.routes(), ...backends.services()].map((named) => named.name))];
}

/** 404 that lists the known models and names the nearest. */
export function unknownModel(model: string, known: readonly string[]): WireError {
  const shown = model.length > MAX_SHOWN ? `${model.slice(0, MAX_SHOWN)}…` : model;
  const meant = nearest(shown, known);
  const guess = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  const list = known.length === 0 ? "This node serves no model yet." : `Known models: ${known.join(", ")}.`;
  return {
    status: 404,
    type: "invalid_request_error",
    code: "model_not_found",
    param: "model",
    message: `The model "${shown}" does not exist on this node.${guess} ${list}`,
  };
}
