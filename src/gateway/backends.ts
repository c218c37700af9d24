import type { Diagnostic } from "../core/index.ts";
import type { Address } from "../engines/engine.ts";

export type ServiceState =
  | "stopped"
  | "starting"
  | "loading"
  | "ready"
  | "backing-off"
  | "failed"
  | "stopping";

/** A service as the gateway and `/api/status` see it at one moment. */
export interface ServiceView {
  readonly name: string;
  readonly engine: string;
  readonly model: string;
  readonly state: ServiceState;
  /** Why it is in this state, when that is not plain. */
  readonly reason?: string;
  /** Fraction loaded, 0 to 1, while `loading` and known. */
  readonly progress?: number;
  readonly pid?: number;
  /** Restarts since the node started. */
  readonly restarts: number;
  readonly contextTokens: number;
  readonly parallel: number;
  /** Milliseconds since the epoch of the last change of `state`. */
  readonly since: number;
}

export interface RouteView {
  readonly name: string;
  readonly services: readonly string[];
}

/** One happening of the node, with its cause. `seq` grows by one and never repeats within a state folder. */
export interface NodeEvent {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly severity: "info" | "warning" | "error";
  /** Dotted kind, `service.ready`, `service.crashed`, `request.retried`. */
  readonly kind: string;
  readonly service?: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What the gateway needs of the node. The supervisor implements it; tests put a fake in its place. */
export interface Backends {
  services(): readonly ServiceView[];
  routes(): readonly RouteView[];
  /** The address of a service that is ready now, or `undefined`. */
  address(service: string): Address | undefined;
  /** Resolves true once the service is ready, false when it failed for good, `timeout` ms passed or `signal` aborted. */
  whenReady(service: string, timeout: number, signal: AbortSignal): Promise<boolean>;
  /** Tells that a request saw the service's connection break; the supervisor looks for itself. */
  reportBroken(service: string, why: string): void;
  diagnostics(): readonly Diagnostic[];
}

/** Where events go and come from; `after` reads those with a greater `seq`, oldest first. */
export interface EventLog {
  record(event: Omit<NodeEvent, "seq" | "time">): NodeEvent;
  after(seq: number, limit: number): readonly NodeEvent[];
  subscribe(listener: (event: NodeEvent) => void): () => void;
}
