import type { ParsedSpec } from "./schema.ts";

/** `T` with these keys present: they have a default. */
export type Need<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: NonNullable<T[P]> };
type Section<K extends keyof ParsedSpec> = NonNullable<ParsedSpec[K]>;
type Entry<K extends keyof ParsedSpec> = Section<K> extends Record<string, infer V> ? V : never;
type All<T> = { readonly [P in keyof T]-?: NonNullable<T[P]> };
type Named<T> = Readonly<Record<string, T>>;

type ParsedMachine = NonNullable<ParsedSpec["metal"]>;
type ParsedGuest = NonNullable<ParsedSpec["guest"]>;
type ParsedService = Entry<"services">;
type ParsedPolicies = Section<"policies">;

/** A machine; `metal` is one that bears the spec's name. */
export type Machine = Need<ParsedMachine, "platform">;
export type Guest = ParsedGuest;
export type Model = Entry<"models">;
export type Engine = Entry<"engines">;
export type Network = Need<Entry<"networks">, "driver" | "internal" | "isolation" | "external">;
export type Tool = Need<
  Entry<"tools">,
  "enabled" | "approval" | "approver" | "pin" | "roots" | "timeout" | "initTimeout" | "maxOutput"
>;
export type Key = Need<Entry<"keys">, "admin" | "priority" | "upstream">;
/** Restart budget: counts, and milliseconds. */
export type RestartBudget = All<NonNullable<ParsedPolicies["restart"]>>;
export type LadderStep = NonNullable<ParsedPolicies["ladder"]>[number];

export const SERVICE_STANDARD = [
  "devices",
  "replicas",
  "priority",
  "context",
  "parallel",
  "queue",
  "kvCache",
  "tensorParallel",
  "pipelineParallel",
  "gpuLayers",
  "threads",
  "flashAttention",
  "cudaGraphs",
  "weights",
  "privileged",
  "pinned",
  "loadTimeout",
  "drainTimeout",
  "warmUp",
  "strategy",
] as const satisfies readonly (keyof ParsedService)[];

/** A service with its defaults. Bytes and milliseconds are integers; `auto` is left to the plan. */
export interface Service extends Omit<
  Need<ParsedService, (typeof SERVICE_STANDARD)[number]>,
  "engine" | "runtime" | "restart" | "ladder" | "networks" | "after" | "mounts" | "arguments" | "environment"
> {
  /** Engines in order; never empty. Each is a key of `engines`. */
  readonly engine: readonly string[];
  readonly runtime: Section<"runtime">["kind"];
  readonly restart: RestartBudget;
  readonly ladder: readonly LadderStep[];
  readonly networks: readonly string[];
  readonly after: readonly string[];
  readonly mounts: NonNullable<ParsedService["mounts"]>;
  readonly arguments: readonly (string | number)[];
  readonly environment: NonNullable<ParsedService["environment"]>;
}

type ParsedRoute = Entry<"routes">;
export type Route = Omit<
  Need<ParsedRoute, "strategy" | "sticky" | "retries" | "continue">,
  "aliases" | "timeouts"
> & {
  readonly aliases: readonly string[];
  readonly timeouts: All<NonNullable<ParsedRoute["timeouts"]>>;
};

type ParsedSwap = NonNullable<ParsedPolicies["swap"]>;
type ParsedWatch = NonNullable<ParsedPolicies["watch"]>;
export interface Policies {
  readonly headroom: All<NonNullable<ParsedPolicies["headroom"]>>;
  readonly ladder: readonly LadderStep[];
  readonly restart: RestartBudget;
  readonly swap: { readonly [P in keyof ParsedSwap]-?: Exclude<ParsedSwap[P], undefined> };
  readonly watch: Need<ParsedWatch, "interval" | "maxTemperature" | "coolDown" | "stall">;
  readonly unpinnedImages: NonNullable<ParsedPolicies["unpinnedImages"]>;
  readonly learn: boolean;
}

type ParsedGateway = Section<"gateway">;
export type Gateway = Omit<
  Need<ParsedGateway, "host" | "port" | "workers" | "bodyLimit" | "console" | "anthropic">,
  "queue" | "timeouts" | "mcp"
> & {
  readonly queue: All<NonNullable<ParsedGateway["queue"]>>;
  readonly timeouts: All<NonNullable<ParsedGateway["timeouts"]>>;
  readonly mcp: All<Omit<NonNullable<ParsedGateway["mcp"]>, "oauth">> &
    Pick<NonNullable<ParsedGateway["mcp"]>, "oauth">;
};

type ParsedTelemetry = Section<"telemetry">;
export type Telemetry = Pick<ParsedTelemetry, "traces"> & {
  readonly metrics: All<NonNullable<ParsedTelemetry["metrics"]>>;
  readonly logs: Need<
    NonNullable<ParsedTelemetry["logs"]>,
    "level" | "format" | "access" | "maxSize" | "keep"
  >;
  readonly retention: All<NonNullable<ParsedTelemetry["retention"]>>;
  readonly keepContent: Exclude<ParsedTelemetry["keepContent"], undefined>;
};

type ParsedRuntime = Section<"runtime">;
export interface Runtime {
  readonly kind: ParsedRuntime["kind"];
  readonly process: Need<NonNullable<ParsedRuntime["process"]>, "cgroups" | "systemd">;
  readonly docker: Need<NonNullable<ParsedRuntime["docker"]>, "socket" | "gpus" | "dataRoot">;
  readonly kubernetes: Omit<NonNullable<ParsedRuntime["kubernetes"]>, "runtimeClass"> &
    Required<Pick<NonNullable<ParsedRuntime["kubernetes"]>, "runtimeClass">>;
}

/**
 * A spec with nothing left out: shorthands expanded, defaults applied, every quantity an integer number of bytes,
 * milliseconds, watts or degrees, frozen. What the planner must decide still says `auto` or is absent.
 */
export interface Spec {
  readonly name: string;
  readonly description?: string;
  readonly machines: Named<Machine>;
  readonly guests: Named<Guest>;
  readonly runtime: Runtime;
  readonly models: Named<Model>;
  /** Engines of the spec, and one of its own name for every kind that a service uses directly. */
  readonly engines: Named<Engine>;
  readonly services: Named<Service>;
  readonly routes: Named<Route>;
  readonly networks: Named<Network>;
  readonly tools: Named<Tool>;
  readonly policies: Policies;
  readonly keys: Named<Key>;
  readonly telemetry: Telemetry;
  readonly gateway: Gateway;
  readonly runbook: Section<"runbook">;
}
