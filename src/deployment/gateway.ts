import { present } from "../core/index.ts";
import type { Spec } from "../spec/spec.ts";
import type { DeployedService } from "./deployed-service.ts";
import type { DeployedGateway, SecretReference } from "./deployment.ts";

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A reference with the one key that it has. */
export const secretReference = (from: {
  readonly env?: string | undefined;
  readonly file?: string | undefined;
}): SecretReference => (from.env === undefined ? { file: from.file ?? "" } : { env: from.env });

export interface GatewayInput {
  readonly spec: Spec;
  /** The document as typed: what the gateway's own spec takes over as it stands. */
  readonly typed: Plain;
  readonly services: readonly DeployedService[];
  readonly image: string;
}

/** Omni's gateway of a deployment, with its own spec in which every engine is a remote one at its address. */
export function gatewayOf(input: GatewayInput): DeployedGateway {
  const { spec, image } = input;
  const { gateway, telemetry } = spec;
  return {
    host: gateway.host,
    port: gateway.port,
    ...present({ nodePort: gateway.nodePort }),
    networks: gateway.networks ?? [],
    image,
    mcp: gateway.mcp.enabled,
    ...(telemetry.metrics.enabled ? { metricsPath: telemetry.metrics.path } : {}),
    config: (addressOf) => configOf(input, addressOf),
    secrets: secretsIn([
      input.typed["keys"],
      input.typed["tools"],
      input.typed["gateway"],
      input.typed["telemetry"],
      remoteEngines(input).map(([, engine]) => engine),
    ]),
    folders: foldersOf(spec),
  };
}

/** Engines that do not speak OpenAI: the gateway has to know what they are. */
const OWN_DIALECT = new Set(["comfyui", "triton-vllm"]);

/** Sections that mean the same to a gateway alone as to the whole node. */
const TAKEN_OVER = ["tools", "keys", "telemetry"] as const;

/**
 * The gateway's spec: engines by address in place of cards and files, routes, tools and keys as typed. Listens on all
 * addresses of its container; who may reach it there is the runtime's matter, and keys are the spec's.
 */
function configOf(input: GatewayInput, addressOf: (service: DeployedService) => string): Plain {
  const { spec, typed, services } = input;
  const engines = new Map<string, Plain>(remoteEngines(input));
  const models = new Map<string, unknown>();
  const entries = new Map<string, Plain>();
  for (const service of services) {
    const comfy = service.kind === "comfyui";
    const own = OWN_DIALECT.has(service.kind);
    const address = addressOf(service);
    engines.set(service.name, { kind: own ? service.kind : "openai", url: own ? address : `${address}/v1` });
    if (!comfy) models.set(service.name, { source: { remote: service.options.servedName } });
    entries.set(service.name, entryOf(service, spec, comfy));
  }
  for (const [name, service] of remoteServices(input)) {
    entries.set(name, service);
    const model = service["model"];
    if (typeof model === "string") models.set(model, plainAt(typed, "models")[model]);
  }
  const { networks: _networks, nodePort: _nodePort, ...gateway } = plainAt(typed, "gateway");
  return {
    omni: 1,
    name: spec.name,
    ...(models.size === 0 ? {} : { models: Object.fromEntries(models) }),
    engines: Object.fromEntries(engines),
    services: Object.fromEntries(entries),
    ...(Object.keys(spec.routes).length === 0 ? {} : { routes: routesOf(input) }),
    ...Object.fromEntries(TAKEN_OVER.flatMap((key) => (typed[key] === undefined ? [] : [[key, typed[key]]]))),
    gateway: { ...gateway, host: "0.0.0.0" },
  };
}

function entryOf(service: DeployedService, spec: Spec, comfy: boolean): Plain {
  const { planned, replicaOf } = service;
  const settings = spec.services[replicaOf ?? service.name];
  return {
    ...(comfy ? {} : { model: service.name }),
    engine: service.name,
    ...present({ role: planned.role, capabilities: settings?.capabilities, priority: settings?.priority }),
    ...(planned.contextTokens > 0 ? { context: planned.contextTokens } : {}),
    parallel: planned.parallel,
    queue: planned.queueLimit,
  };
}

const plainAt = (typed: Plain, key: string): Plain => {
  const value = typed[key];
  return isPlain(value) ? value : {};
};

/** Services of the spec on remote engines: the gateway calls them as the node would. */
const remoteServices = ({ typed, services }: GatewayInput): readonly (readonly [string, Plain])[] => {
  const here = new Set(services.map(({ name, replicaOf }) => replicaOf ?? name));
  return Object.entries(plainAt(typed, "services")).flatMap(([name, service]) =>
    here.has(name) || !isPlain(service) || !isRemote(service, plainAt(typed, "engines"))
      ? []
      : [[name, service]],
  );
};

const REMOTE_KINDS = new Set(["openai", "openai-compatible", "anthropic"]);

function isRemote(service: Plain, engines: Plain): boolean {
  const chain = [service["engine"]].flat();
  return chain.some(
    (engine) => typeof engine === "string" && REMOTE_KINDS.has(kindOf(engines[engine] ?? engine)),
  );
}

const isRemoteEngine = (engine: unknown): boolean =>
  REMOTE_KINDS.has(kindOf(engine)) || (isPlain(engine) && engine["url"] !== undefined);

const kindOf = (engine: unknown): string => {
  const kind = isPlain(engine) ? engine["kind"] : engine;
  return typeof kind === "string" ? kind.toLowerCase() : "";
};

const remoteEngines = ({ typed }: GatewayInput): readonly (readonly [string, Plain])[] =>
  Object.entries(plainAt(typed, "engines")).flatMap(([name, engine]) =>
    isPlain(engine) && isRemoteEngine(engine) ? [[name, engine]] : [],
  );

/** Routes as typed, where a service with replicas stands for all of them and one that is not here is left out. */
function routesOf(input: GatewayInput): Plain {
  const { spec, typed, services } = input;
  const remote = new Set(remoteServices(input).map(([name]) => name));
  const names = (service: string): readonly string[] => [
    ...services.filter(({ name, replicaOf }) => (replicaOf ?? name) === service).map(({ name }) => name),
    ...(remote.has(service) ? [service] : []),
  ];
  const written = plainAt(typed, "routes");
  return Object.fromEntries(
    Object.keys(spec.routes).flatMap((name) => {
      const route = written[name];
      const given = isPlain(route) && route["services"] !== undefined ? route["services"] : route;
      const list = [given].flat().flatMap((one: unknown): unknown[] => {
        if (typeof one === "string") return [...names(one)];
        if (!isPlain(one) || typeof one["service"] !== "string") return [];
        return names(one["service"]).map((service) => ({ ...one, service }));
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

/** Every secret reference within typed values, each once. */
function secretsIn(values: readonly unknown[]): readonly SecretReference[] {
  const found = new Map<string, SecretReference>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) walk(item);
    if (!isPlain(value)) return;
    const { env, file } = value;
    if (typeof env === "string") found.set(`env ${env}`, { env });
    else if (typeof file === "string") found.set(`file ${file}`, { file });
    for (const inner of Object.values(value)) walk(inner);
  };
  for (const value of values) walk(value);
  return [...found.values()];
}

const foldersOf = (spec: Spec): DeployedGateway["folders"] =>
  Object.values(spec.tools).flatMap(({ filesystem, enabled }) =>
    filesystem === undefined || !enabled
      ? []
      : Object.values(filesystem.roots).map(({ path, writable }) => ({ path, writable: writable ?? false })),
  );
