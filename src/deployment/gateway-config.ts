import { present } from "../core/index.ts";
import type { DeployedService } from "./deployed-service.ts";
import { gatewayWorkflows } from "./gateway-files.ts";
import { describedEngines, ownServices, remoteEngines } from "./gateway-services.ts";
import type { OwnService, Served } from "./gateway-services.ts";
import { isPlain, plainAt } from "./typed.ts";
import type { Plain } from "./typed.ts";

/** Engines that do not speak OpenAI: the gateway has to know what they are. */
const OWN_DIALECT = new Set(["comfyui", "triton-vllm"]);

/**
 * The gateway's spec: engines by address in place of cards and files; routes, tools and keys as typed, as far as they
 * name what is here. Listens on all addresses of its container; who may reach it there is the runtime's matter, and keys
 * are the spec's.
 */
export function gatewayConfig(served: Served, addressOf: (service: DeployedService) => string): Plain {
  const { spec, typed, services } = served;
  const own = ownServices(served);
  const engines = new Map<string, unknown>([...remoteEngines(served), ...describedEngines(served)]);
  const models = new Map(
    own.flatMap(({ model }) => (model === undefined ? [] : [[model, plainAt(typed, "models")[model]]])),
  );
  const entries = new Map<string, Plain>();
  const takenEngines = new Set([...engines.keys(), ...own.flatMap((service) => service.engines)]);
  const takenModels = new Set(models.keys());
  // A model of one service keeps its name, by which clients may ask for it too; each further service has another model here.
  const shared = new Map<string, number>();
  const kept = new Set<string>();
  for (const { planned } of services)
    shared.set(planned.model.name, (shared.get(planned.model.name) ?? 0) + 1);
  for (const service of services) {
    const comfy = service.kind === "comfyui";
    const dialect = OWN_DIALECT.has(service.kind);
    const address = addressOf(service);
    const engine = freeName(service.name, takenEngines);
    const given = service.planned.model.name;
    const model = freeName(shared.get(given) === 1 ? given : service.name, takenModels);
    engines.set(engine, {
      kind: dialect ? service.kind : "openai",
      url: dialect ? address : `${address}/v1`,
    });
    if (!comfy) {
      models.set(model, { source: { remote: service.options.servedName } });
      takenModels.add(model);
      if (model === given) kept.add(model);
    }
    entries.set(service.name, entryOf(service, served, { engine, ...(comfy ? {} : { model }) }));
  }
  for (const { name, entry } of own) entries.set(name, { ...entry, ...gatewayWorkflows(served, name) });
  const routes = routesOf(served, own);
  return {
    omni: 1,
    name: spec.name,
    ...(models.size === 0 ? {} : { models: Object.fromEntries(models) }),
    engines: Object.fromEntries(engines),
    services: Object.fromEntries(entries),
    ...(Object.keys(routes).length === 0 ? {} : { routes }),
    ...(typed["tools"] === undefined ? {} : { tools: typed["tools"] }),
    ...(typed["keys"] === undefined ? {} : { keys: keysOf(served, own, { routes, models: kept }) }),
    ...(typed["telemetry"] === undefined ? {} : { telemetry: telemetryOf(plainAt(typed, "telemetry")) }),
    gateway: gatewayOwn(plainAt(typed, "gateway")),
  };
}

/** A name that the spec itself gives to an engine or model elsewhere stays that one's. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  while (taken.has(name)) name = `${name}-here`;
  return name;
}

function entryOf(
  service: DeployedService,
  served: Served,
  { engine, model }: { readonly engine: string; readonly model?: string },
): Plain {
  const { planned, replicaOf } = service;
  const name = replicaOf ?? service.name;
  const settings = served.spec.services[name];
  return {
    ...(model === undefined ? {} : { model }),
    engine,
    ...present({ role: planned.role, capabilities: planned.capabilities, priority: settings?.priority }),
    ...(planned.contextTokens > 0 ? { context: planned.contextTokens } : {}),
    parallel: planned.parallel,
    queue: planned.queueLimit,
    ...gatewayWorkflows(served, name),
  };
}

/** Its section as typed, without what is the node's: networks, node port, and a folder that its container does not have. */
function gatewayOwn({ networks: _networks, nodePort: _nodePort, store, ...gateway }: Plain): Plain {
  const shared = isPlain(store) && store["folder"] === undefined ? { store } : {};
  return { ...gateway, ...shared, host: "0.0.0.0" };
}

/** As typed, without a file of the node: what runs it keeps what it says. */
function telemetryOf(telemetry: Plain): Plain {
  const { logs, ...rest } = telemetry;
  if (!isPlain(logs)) return telemetry;
  const { file: _file, ...kept } = logs;
  return { ...rest, ...(Object.keys(kept).length === 0 ? {} : { logs: kept }) };
}

/** All that stands for a service of the spec: each replica of it, or itself where the gateway serves it. */
const namesOf = (service: string, { services }: Served, own: readonly OwnService[]): readonly string[] => [
  ...services.filter(({ name, replicaOf }) => (replicaOf ?? name) === service).map(({ name }) => name),
  ...own.filter(({ name }) => name === service).map(({ name }) => name),
];

/** Routes as typed, where a service with replicas stands for all of them and one that is not here is left out. */
function routesOf(served: Served, own: readonly OwnService[]): Plain {
  const written = plainAt(served.typed, "routes");
  return Object.fromEntries(
    Object.keys(served.spec.routes).flatMap((name) => {
      const route = written[name];
      const given = isPlain(route) && route["services"] !== undefined ? route["services"] : route;
      const list = [given].flat().flatMap((one: unknown): unknown[] => {
        if (typeof one === "string") return [...namesOf(one, served, own)];
        if (!isPlain(one) || typeof one["service"] !== "string") return [];
        return namesOf(one["service"], served, own).map((service) => ({ ...one, service }));
      });
      if (list.length === 0) return [];
      return [
        [
          name,
          isPlain(route) && route["services"] !== undefined
            ? { ...route, services: list }
            : { services: list },
        ],
      ];
    }),
  );
}

/**
 * Keys as typed. What they may use is named as it is here: replicas for their service, services for their model. A key
 * for nothing that is here is left out, because one without names may use all.
 */
function keysOf(
  served: Served,
  own: readonly OwnService[],
  { routes, models }: { readonly routes: Plain; readonly models: ReadonlySet<string> },
): Plain {
  const { spec, typed } = served;
  const known = new Set([
    ...Object.keys(routes),
    ...models,
    ...Object.entries(spec.routes).flatMap(([name, { aliases }]) =>
      routes[name] === undefined ? [] : aliases,
    ),
    ...Object.entries(spec.services).flatMap(([name, { role }]) =>
      role === undefined || namesOf(name, served, own).length === 0 ? [] : [role],
    ),
    ...own.flatMap(({ name, model }) => [name, ...(model === undefined ? [] : [model])]),
  ]);
  const here = (name: string): readonly string[] => {
    if (known.has(name)) return [name];
    const serving = Object.entries(spec.services).flatMap(([service, { model }]) =>
      service === name || model === name ? [service] : [],
    );
    return serving.flatMap((service) => namesOf(service, served, own));
  };
  return Object.fromEntries(
    Object.entries(plainAt(typed, "keys")).flatMap(([name, key]) => {
      if (!isPlain(key) || !Array.isArray(key["routes"])) return [[name, key]];
      const allowed = [
        ...new Set(key["routes"].flatMap((one: unknown) => (typeof one === "string" ? here(one) : []))),
      ];
      return allowed.length === 0 ? [] : [[name, { ...key, routes: allowed }]];
    }),
  );
}
