import { findEngineKind } from "../catalog/index.ts";
import { OmniError } from "../core/index.ts";
import { defaultEngine } from "./default-engine.ts";
import { fillDefaults } from "./fill-defaults.ts";
import type { ParsedSpec } from "./schema.ts";
import { specSchema } from "./schema.ts";
import { serviceName } from "./service-name.ts";
import type { Engine, Need, Service, Spec } from "./spec.ts";
import { SERVICE_STANDARD } from "./spec.ts";

type Services = NonNullable<ParsedSpec["services"]>;

/** Turns a parsed spec into the one that the plan reads. Pure and deterministic; the argument is left alone. */
export function applyDefaults(parsed: ParsedSpec): Spec {
  const filled = structuredClone(parsed);
  filled.services = servicesOf(filled);
  filled.routes ??= Object.fromEntries(
    Object.keys(filled.services).map((name) => [name, { services: [{ service: name }] }]),
  );
  for (const service of Object.values(filled.services)) {
    service.restart = { ...filled.policies?.restart, ...service.restart };
  }
  fillDefaults(specSchema, filled);

  const { description, metal, guest } = filled;
  const root = complete(
    filled,
    [
      "name",
      "models",
      "engines",
      "services",
      "routes",
      "networks",
      "tools",
      "keys",
      "policies",
      "gateway",
      "telemetry",
      "runbook",
      "runtime",
    ],
    "spec",
  );
  const policies = completePolicies(root.policies);
  const services = mapValues(root.services, (service, name) =>
    completeService(service, name, root, policies),
  );
  const machines = { ...(metal === undefined ? {} : { [root.name]: metal }), ...filled.machines };
  return deepFreeze({
    name: root.name,
    ...(description === undefined ? {} : { description }),
    machines: mapValues(machines, (machine, name) => complete(machine, ["platform"], `machines.${name}`)),
    guests: { ...(guest === undefined ? {} : { [root.name]: guest }), ...filled.guests },
    runtime: completeRuntime(root.runtime),
    models: root.models,
    engines: enginesOf(root.engines, services),
    services,
    routes: mapValues(root.routes, completeRoute),
    networks: mapValues(root.networks, (network, name) =>
      complete(network, ["driver", "internal", "isolation", "external"], `networks.${name}`),
    ),
    tools: mapValues(root.tools, (tool, name) =>
      complete(
        tool,
        ["enabled", "approval", "approver", "pin", "roots", "timeout", "initTimeout", "maxOutput"],
        `tools.${name}`,
      ),
    ),
    policies,
    keys: mapValues(root.keys, (key, name) =>
      complete(key, ["admin", "priority", "upstream"], `keys.${name}`),
    ),
    telemetry: completeTelemetry(root.telemetry),
    gateway: completeGateway(root.gateway),
    runbook: root.runbook,
  });
}

/** Without a section of services, every model is one: of its own name, as far as that can be a service's. */
function servicesOf(parsed: ParsedSpec): Services {
  if (parsed.services !== undefined) return parsed.services;
  return Object.fromEntries(Object.keys(parsed.models ?? {}).map((model) => [serviceName(model), { model }]));
}

type Root = Need<ParsedSpec, "models" | "services" | "runtime">;

function completeService(
  service: Services[string],
  name: string,
  root: Root,
  policies: Spec["policies"],
): Service {
  const runtime = service.runtime ?? root.runtime.kind;
  const model = service.model === undefined ? undefined : root.models[service.model];
  return {
    ...complete(service, SERVICE_STANDARD, `services.${name}`),
    engine: service.engine ?? [defaultEngine(model, runtime)],
    runtime,
    restart: complete(
      service.restart ?? {},
      ["restarts", "window", "backoffMin", "backoffMax"],
      `services.${name}.restart`,
    ),
    ladder: service.ladder ?? policies.ladder,
    networks: service.networks ?? [],
    after: service.after ?? [],
    mounts: service.mounts ?? [],
    arguments: service.arguments ?? [],
    environment: service.environment ?? {},
  };
}

/** Every engine that a service names by its kind alone becomes an engine of that name. */
function enginesOf(
  defined: Readonly<Record<string, Engine>>,
  services: Readonly<Record<string, Service>>,
): Record<string, Engine> {
  const engines: Record<string, Engine> = mapValues(defined, (engine) => ({
    ...engine,
    kind: findEngineKind(engine.kind)?.name ?? engine.kind,
  }));
  for (const name of Object.values(services).flatMap((service) => service.engine)) {
    engines[name] ??= { kind: findEngineKind(name)?.name ?? name };
  }
  return engines;
}

function completeRoute(
  route: NonNullable<ParsedSpec["routes"]>[string],
  name: string,
): Spec["routes"][string] {
  const at = `routes.${name}`;
  const whole = complete(route, ["strategy", "sticky", "retries", "continue", "timeouts"], at);
  return {
    ...whole,
    aliases: route.aliases ?? [],
    timeouts: complete(whole.timeouts, ["firstByte", "idle", "total"], at),
  };
}

function completePolicies(policies: NonNullable<ParsedSpec["policies"]>): Spec["policies"] {
  const whole = complete(
    policies,
    ["headroom", "ladder", "restart", "swap", "watch", "unpinnedImages", "learn"],
    "policies",
  );
  const at = "policies";
  return {
    ...whole,
    headroom: complete(whole.headroom, ["vram", "memory", "disk"], at),
    restart: complete(whole.restart, ["restarts", "window", "backoffMin", "backoffMax"], at),
    swap: complete(whole.swap, ["mode", "minResidency", "ttl", "maxWait"], at),
    watch: complete(whole.watch, ["interval", "maxTemperature", "coolDown", "stall"], at),
  };
}

function completeGateway(gateway: NonNullable<ParsedSpec["gateway"]>): Spec["gateway"] {
  const at = "gateway";
  const whole = complete(
    gateway,
    ["host", "port", "workers", "bodyLimit", "console", "anthropic", "queue", "timeouts", "mcp"],
    at,
  );
  return {
    ...whole,
    queue: complete(whole.queue, ["limit", "deadline"], at),
    timeouts: complete(whole.timeouts, ["headers", "body", "idle", "drain", "connect"], at),
    mcp: complete(
      whole.mcp,
      [
        "enabled",
        "path",
        "legacySse",
        "prefix",
        "searchAbove",
        "sessions",
        "sessionIdle",
        "approvalTimeout",
        "auditArguments",
      ],
      at,
    ),
  };
}

function completeTelemetry(telemetry: NonNullable<ParsedSpec["telemetry"]>): Spec["telemetry"] {
  const at = "telemetry";
  const whole = complete(telemetry, ["metrics", "logs", "retention", "keepContent"], at);
  return {
    ...whole,
    metrics: complete(whole.metrics, ["enabled", "path", "serviceMonitor", "alerts", "dashboard"], at),
    logs: complete(whole.logs, ["level", "format", "access", "maxSize", "keep"], at),
    retention: complete(whole.retention, ["events", "requests", "usage", "measurements", "audit"], at),
  };
}

function completeRuntime(runtime: NonNullable<ParsedSpec["runtime"]>): Spec["runtime"] {
  const at = "runtime";
  const whole = complete(runtime, ["process", "docker", "kubernetes"], at);
  return {
    ...whole,
    process: complete(whole.process, ["cgroups", "systemd"], at),
    docker: complete(whole.docker, ["socket", "gpus", "dataRoot"], at),
    kubernetes: complete(whole.kubernetes, ["runtimeClass"], at),
  };
}

/** States that defaults were applied; a key without one would be a defect of the schema, and is thrown as `cli.internal`. */
function complete<T extends object, K extends keyof T>(value: T, keys: readonly K[], at: string): Need<T, K> {
  if (hasAll(value, keys)) return value;
  const missing = keys.filter((key) => value[key] === undefined).join(", ");
  throw new OmniError("cli.internal", `the schema has no default for ${missing} of ${at}`);
}

const hasAll = <T extends object, K extends keyof T>(value: T, keys: readonly K[]): value is T & Need<T, K> =>
  keys.every((key) => value[key] !== undefined);

const mapValues = <T, U>(
  map: Readonly<Record<string, T>>,
  change: (value: T, name: string) => U,
): Record<string, U> =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value, name)]));

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
