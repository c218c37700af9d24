import type { Address, Diagnostic } from "../core/index.ts";

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
