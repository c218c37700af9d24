import { engineKindOf } from "../catalog/index.ts";
import { isPlain, plainAt } from "./typed.ts";
import type { Plain } from "./typed.ts";
import type { Service, Spec } from "../spec/spec.ts";
import type { DeployedService } from "./deployed-service.ts";

export interface Served {
  readonly spec: Spec;
  readonly typed: Plain;
  readonly services: readonly DeployedService[];
  /** Text of workflow templates by the path that the spec names; absent where nothing is rendered. */
  readonly workflows?: ReadonlyMap<string, string>;
}

/** A service that the gateway serves without an engine of this deployment, as its own spec has it. */
export interface OwnService {
  readonly name: string;
  readonly entry: Plain;
  readonly model?: string;
  /** Engines of its chain that the gateway can use. */
  readonly engines: readonly string[];
}

/**
 * What a gateway can act on of a service that it serves itself. Cards, machines, mounts and ladders are the node's: its
 * own spec has nothing that they could refer to.
 */
const KEPT = ["role", "capabilities", "priority", "context", "parallel", "queue"] as const;

/**
 * Services of the spec on remote engines, and those that the engine within Omni serves from a model that every Omni
 * carries. Of a chain of engines the ones that the gateway can use are left.
 */
export const ownServices = (served: Served): readonly OwnService[] =>
  notDeployed(served).flatMap(([name, service]) => {
    const engines = service.engine.filter((engine) => isOwn(engine, service, served.spec));
    if (engines.length === 0) return [];
    const written = plainAt(plainAt(served.typed, "services"), name);
    const kept = KEPT.flatMap((key) => (written[key] === undefined ? [] : [[key, written[key]]]));
    const { model } = service;
    const entry = {
      ...(model === undefined ? {} : { model }),
      engine: engines.length === 1 ? engines[0] : engines,
      ...Object.fromEntries(kept),
    };
    return [{ name, entry, engines, ...(model === undefined ? {} : { model }) }];
  });

/** Services on the engine within Omni whose model's file lies on the node, where a gateway in a container sees nothing. */
export const servicesLeftOut = (served: Served): readonly string[] => {
  const own = new Set(ownServices(served).map(({ name }) => name));
  return notDeployed(served).flatMap(([name, { engine }]) =>
    own.has(name) || !engine.some((one) => kindOf(one, served.spec)?.name === "embedded") ? [] : [name],
  );
};

/** Services that no engine of the deployment stands for. */
function notDeployed({ spec, services }: Served): readonly (readonly [string, Service])[] {
  const here = new Set(services.map(({ name, replicaOf }) => replicaOf ?? name));
  return Object.entries(spec.services).filter(([name]) => !here.has(name));
}

const kindOf = (engine: string, spec: Spec) => engineKindOf(spec.engines[engine] ?? { kind: engine });

function isOwn(engine: string, { model }: Service, spec: Spec): boolean {
  const kind = kindOf(engine, spec);
  if (kind === undefined) return false;
  if (kind.remote) return true;
  const source = model === undefined ? undefined : spec.models[model]?.source;
  return kind.name === "embedded" && source?.builtin !== undefined;
}

/** Engines that the spec describes and whose services the gateway calls by an address of their own. */
export const remoteEngines = ({ spec, typed }: Served): readonly (readonly [string, Plain])[] =>
  Object.entries(plainAt(typed, "engines")).flatMap(([name, engine]) => {
    const described = spec.engines[name];
    return isPlain(engine) && described !== undefined && engineKindOf(described)?.remote === true
      ? [[name, engine]]
      : [];
  });

/** Descriptions of the engine within Omni that a kept service names. */
export const describedEngines = (served: Served): readonly (readonly [string, unknown])[] => {
  const written = plainAt(served.typed, "engines");
  const remote = new Set(remoteEngines(served).map(([name]) => name));
  return ownServices(served)
    .flatMap(({ engines }) => engines)
    .filter((name) => written[name] !== undefined && !remote.has(name))
    .map((name) => [name, written[name]]);
};
