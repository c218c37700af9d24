import { nearest } from "../core/index.ts";
import type { Caller } from "../keys/caller.ts";
import type { RouteRules } from "../plan/plan.ts";
import type { Backends, RouteView } from "../supervisor/backends.ts";
import { mayUse } from "./routing/may-use.ts";
import type { WireError } from "./wire-error.ts";
import { badRequest } from "./wire-error.ts";

/** What a requested name stands for: services in the order in which they are tried. */
export interface Target {
  /** The route's name in the spec, whatever alias was asked for; the name of a role, service or model otherwise. */
  readonly route: string;
  readonly services: readonly string[];
  /** How the route chooses, where the spec says so. */
  readonly rules?: RouteRules;
  /** Further names that, on a key's list, open it: other names of its route, services and models that hold all it leads to. */
  readonly openedBy?: ReadonlySet<string>;
}

const MAX_SHOWN = 100;

/** By the list of routes itself: a plan's list stays the same until another plan is applied. */
const tables = new WeakMap<readonly RouteView[], ReadonlyMap<string, Target>>();

/**
 * Finds what a name stands for: a route (its own name, an alias, a role, a service or a model), then a replica by its own
 * name. A request without a model goes to the only route, or to the only service of a node without routes. A name that the
 * caller may not use is answered as one that does not exist.
 */
export function findTarget(
  backends: Backends,
  model: string | undefined,
  caller?: Caller,
): Target | WireError {
  const target = model === undefined || model === "" ? onlyTarget(backends, caller) : named(backends, model);
  if (target !== undefined && ("status" in target || mayUse(caller ?? ANYONE, target, model))) return target;
  return unknownModel(model ?? "", knownNames(backends, caller));
}

function named(backends: Backends, model: string): Target | undefined {
  const target = tableOf(backends).get(model);
  if (target !== undefined) return target;
  const services = backends.services();
  if (services.some((s) => s.name === model)) return { route: model, services: [model] };
  const serving = services.filter((s) => s.model === model).map((s) => s.name);
  return serving.length > 0 ? { route: model, services: serving } : undefined;
}

const ANYONE: Pick<Caller, "routes"> = {};

/** Every name of the routes and what it stands for; computed once for a list. */
function tableOf(backends: Backends): ReadonlyMap<string, Target> {
  const routes = backends.routes();
  const known = tables.get(routes);
  if (known !== undefined) return known;
  const table = new Map(routes.map((route) => [route.name, targetOf(route, routes)]));
  tables.set(routes, table);
  return table;
}

function targetOf(route: RouteView, all: readonly RouteView[]): Target {
  const { rules, services } = route;
  const openedBy = all.filter(
    (other) =>
      (rules !== undefined && other.rules?.route === rules.route) ||
      // What stands for services as they are opens what leads to nothing else.
      (other.rules === undefined && services.every((service) => other.services.includes(service))),
  );
  return {
    route: rules?.route ?? route.name,
    services,
    ...(rules === undefined ? {} : { rules }),
    openedBy: new Set(openedBy.map(({ name }) => name)),
  };
}

/** The only route of the spec, or without any the only thing that all names stand for. */
function onlyTarget(backends: Backends, caller: Caller | undefined): Target | WireError {
  const table = tableOf(backends);
  const open = [...table].flatMap(([name, target]) => (mayUse(caller ?? ANYONE, target, name) ? target : []));
  const ruled = open.filter(({ rules }) => rules !== undefined);
  const choice = ruled.length > 0 ? ruled : open;
  const [only] = choice;
  if (only !== undefined && choice.every((target) => isSame(target, only))) return only;
  const services = backends.services();
  const [service] = services;
  if (table.size === 0 && service !== undefined && services.length === 1) {
    return { route: service.name, services: [service.name] };
  }
  const known = knownNames(backends, caller);
  const count = new Set(choice.map(({ route }) => route)).size;
  const hint = known.length === 0 ? "This node serves none yet." : `Choose one of: ${known.join(", ")}.`;
  return badRequest(
    "model_required",
    `The request names no model, and this node has ${count} routes. ${hint}`,
    "model",
  );
}

const isSame = (a: Target, b: Target): boolean =>
  a.rules === undefined
    ? a.services.length === b.services.length && a.services.every((name) => b.services.includes(name))
    : a.rules.route === b.rules?.route;

/** Every name that a request (of this caller, where one is given) may ask for, routes first, without doubles. */
export function knownNames(backends: Backends, caller?: Caller): string[] {
  const names = [...backends.routes(), ...backends.services()].map((named) => named.name);
  const unique = [...new Set(names)];
  if (caller?.routes === undefined) return unique;
  return unique.filter((name) => {
    const target = named(backends, name);
    return target !== undefined && mayUse(caller, target, name);
  });
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
