import type { Code, Diagnostic } from "../core/index.ts";
import type { EngineSettings, KvPrediction, MemoryPart } from "../memory/memory-model.ts";

/** One device's share of a service, all in bytes: four terms, their sum, and what the device can give. */
export interface MemoryTerms {
  /** Card as `machine/card` where there are several machines, or `cpu` for main memory. */
  readonly device: string;
  readonly weights: number;
  readonly kvCache: number;
  readonly compute: number;
  readonly overhead: number;
  readonly total: number;
  readonly capacity: number;
  /** What the terms are made of, for explaining. */
  readonly parts?: readonly MemoryPart[];
}

/** Restart policy: at most `restarts` within `window` ms, waiting `backoffMin` doubling to `backoffMax` ms between. */
export interface RestartPolicy {
  readonly restarts: number;
  readonly window: number;
  readonly backoffMin: number;
  readonly backoffMax: number;
}

/** `fits` with room to spare, `tight` within the error of prediction, `over` when only measured memory could tell. */
export type Band = "fits" | "tight" | "over";

/** One step down when memory runs short, and what it frees. */
export interface LadderRung {
  readonly step: string;
  /** What changes, for a person: `context 8 192 → 4 096`. */
  readonly change: string;
  /** Bytes freed by device. */
  readonly frees: readonly { readonly device: string; readonly bytes: number }[];
  /** Service that takes over, for steps that route away. */
  readonly to?: string;
  readonly contextTokens?: number;
  readonly parallel?: number;
  /** How the engine is started on this rung, all steps before it included; absent where no restart is needed. */
  readonly settings?: EngineSettings;
  /** Prompts longer than this many tokens go to `to`. */
  readonly above?: number;
  /** Services that are unloaded to make room. */
  readonly unloads?: readonly string[];
  /** Why the step would change nothing, when it would. */
  readonly noEffect?: string;
}

/** How a service is kept: who gives way to whom, when it is unloaded, what it waits for. Milliseconds. */
export interface Lifecycle {
  /** 9 stays longest when memory runs short, 0 goes first. */
  readonly priority: number;
  /** Never unloaded for another. */
  readonly pinned: boolean;
  /** Idle time after which it is unloaded; `false` never. The node's own for services that take turns when absent. */
  readonly ttl?: number | false;
  /** Services that must be ready before it starts. */
  readonly after: readonly string[];
  /** Time for running requests before a stop. */
  readonly drainTimeout: number;
  /** One request is sent after each start, before clients are let in. */
  readonly warmUp: boolean;
  /** How a changed service is replaced; `rolling` needs room for two. */
  readonly strategy: "recreate" | "rolling";
}

/** A service with everything decided. Bytes, tokens and milliseconds are integers. */
export interface PlannedService {
  readonly name: string;
  readonly machine?: string;
  readonly runtime?: "process" | "docker" | "kubernetes";
  readonly role?: string;
  /** Name in the spec, for the second and further replicas. */
  readonly replicaOf?: string;
  readonly engine: {
    /** Name of the engine in the spec; a kind of engine stands for itself. */
    readonly name: string;
    readonly kind?: string;
    readonly version: string;
    readonly image?: string;
  };
  readonly model: { readonly name: string; readonly path: string; readonly sizeBytes: number };
  /** What it offers, as the spec says; by its model and engine when absent. */
  readonly capabilities?: readonly string[];
  readonly devices: readonly string[];
  /** UUIDs of its cards in the same order, the identity that engines are pinned by; empty where the spec names none. */
  readonly uuids?: readonly string[];
  /** Cards that split every layer. */
  readonly tensorParallel?: number;
  /** Groups of cards that take layers in turn. */
  readonly pipelineParallel?: number;
  /** CPUs it may use, and the NUMA node it is bound to, as the spec says. */
  readonly cpus?: string;
  readonly numaNode?: number;
  /** Tokens that one request may use, prompt and answer together. */
  readonly contextTokens: number;
  /** Requests generated at the same time. */
  readonly parallel: number;
  /** Requests that may wait beyond `parallel` before a 429. */
  readonly queueLimit: number;
  readonly threads: number;
  /** How the engine is started; absent for remote engines. */
  readonly settings?: EngineSettings;
  readonly kvCache?: KvPrediction;
  readonly memory: readonly MemoryTerms[];
  /** All weights on cards (or, without cards, in main memory as meant). */
  readonly resident?: boolean;
  readonly band?: Band;
  readonly port?: number;
  /** Later engines of the chain, in order, that would fit too. */
  readonly fallbacks?: readonly string[];
  readonly ladder?: readonly LadderRung[];
  /** Why this placement and not another, one sentence a decision. */
  readonly reasons?: readonly string[];
  readonly restart: RestartPolicy;
  readonly lifecycle?: Lifecycle;
  readonly loadTimeout: number;
  readonly extraArguments: readonly string[];
}

/** When a candidate of a route may take a request; all that is there must hold. */
export interface RouteCondition {
  /** Tokens of the prompt. */
  readonly promptTokens?: { readonly above?: number; readonly below?: number };
  readonly needs?: readonly RouteNeed[];
  /** Names of keys. */
  readonly keys?: readonly string[];
  /** Request headers, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Minutes after midnight, local time of the node; the end may be before the start (over midnight). */
  readonly hours?: { readonly from: number; readonly to: number };
}

export type RouteNeed =
  | "tools"
  | "json"
  | "vision"
  | "audio"
  | "reasoning"
  | "embeddings"
  | "image"
  | "rerank";

export interface RouteCandidate {
  /** A placed service; replicas are listed one by one. */
  readonly service: string;
  readonly weight: number;
  readonly when?: RouteCondition;
  /** Requests of this route at the service at the same time. */
  readonly maxConcurrent?: number;
}

/** How a route of the spec chooses and what it allows. Milliseconds. */
export interface RouteRules {
  /** Name of the route in the spec; its aliases share its counts. */
  readonly route: string;
  readonly strategy: "ordered" | "weighted" | "least-loaded";
  readonly sticky: "none" | "session" | "prefix";
  readonly retries: number;
  readonly continue: boolean;
  readonly hedge?: { readonly after: number; readonly below?: number };
  readonly timeouts: { readonly firstByte: number; readonly idle: number; readonly total: number };
  readonly candidates: readonly RouteCandidate[];
}

/** A name that clients ask for, and the services that may answer it, in order of preference. */
export interface PlannedRoute {
  readonly name: string;
  readonly services: readonly string[];
  /** Only for routes (and their aliases) that the spec itself names. */
  readonly rules?: RouteRules;
}

/** An engine of a service, or a placement, that was looked at and not taken. */
export interface Rejection {
  readonly service: string;
  readonly engine: string;
  readonly model: string;
  readonly devices: readonly string[];
  readonly code: Code;
  readonly reason: string;
  readonly hint: string;
  readonly source?: string;
  /** The service was placed with this very engine; this tells why fewer or other cards were not enough. */
  readonly alternative?: true;
}

/** Services that take turns on the same devices: one of them is loaded at a time. */
export interface SwapSet {
  readonly name: string;
  readonly devices: readonly string[];
  readonly services: readonly string[];
  /** The one that is loaded when nothing else is asked for. */
  readonly standing: string;
  /** Bytes the set reserves on each device: the most of any member. */
  readonly reserves: readonly { readonly device: string; readonly bytes: number }[];
}

/** One device and who takes what of it. Bytes. */
export interface LedgerDevice {
  readonly device: string;
  readonly machine: string;
  readonly kind: "gpu" | "memory" | "disk";
  /** Model of the card, or mount of the disk. */
  readonly label: string;
  readonly capacity: number;
  /** Kept free by policy. */
  readonly headroom: number;
  readonly entries: readonly {
    readonly service: string;
    readonly bytes: number;
    readonly swapSet?: string;
  }[];
  readonly free: number;
}

/** The frozen result of planning: everything to the right of it reads this and never the spec. */
export interface Plan {
  readonly gateway: { readonly host: string; readonly port: number };
  readonly services: readonly PlannedService[];
  readonly routes: readonly PlannedRoute[];
  readonly rejected: readonly Rejection[];
  readonly swapSets?: readonly SwapSet[];
  readonly ledger?: readonly LedgerDevice[];
  /** What the owner should know about this plan: refusals, and what this version does not act on. */
  readonly diagnostics: readonly Diagnostic[];
}
