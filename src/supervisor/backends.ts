import type { Address, Diagnostic, LocalAddress } from "../core/index.ts";
import type { EngineLoad } from "../engines/engine.ts";
import type { PlannedRoute } from "../plan/plan.ts";

export type ServiceState =
  /** Never started, or stopped by its owner. */
  | "stopped"
  /** Not loaded: it takes turns with others, was idle, or gave way; a request loads it. */
  | "unloaded"
  /** Waits until its turn to start: for a service before it, for another start on its card, for memory to be free. */
  | "queued"
  | "starting"
  | "loading"
  | "ready"
  /** Finishes what it answers and takes nothing new; what follows is in `reason`. */
  | "draining"
  /** The process lives and its cards are free (vLLM sleep). */
  | "asleep"
  | "backing-off"
  | "failed"
  | "stopping";

/** How far a service has stepped down, for a person and a program. */
export interface LadderView {
  /** Steps taken, 0 as planned. */
  readonly rung: number;
  /** The steps in force, in words: `context 8192 → 4096`. */
  readonly changes: readonly string[];
  readonly because: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** What has to be true for a step back up. */
  readonly backWhen: string;
}

/** A service as the gateway and `/api/status` see it at one moment. */
export interface ServiceView {
  readonly name: string;
  /** Name of its engine in the spec; `kind` is the catalog's. */
  readonly engine: string;
  readonly kind?: string;
  readonly model: string;
  readonly state: ServiceState;
  /** Why it is in this state, when that is not plain. */
  readonly reason?: string;
  /** Fraction loaded, 0 to 1, while `loading` and known. */
  readonly progress?: number;
  /** Milliseconds until it is likely ready, by what earlier loads took; absent where nothing was measured. */
  readonly eta?: number;
  readonly pid?: number;
  /** Restarts since the node started. */
  readonly restarts: number;
  readonly contextTokens: number;
  readonly parallel: number;
  /** Requests that may wait beyond `parallel`. */
  readonly queueLimit?: number;
  /** What it offers, where its owner said so; anything is assumed otherwise. */
  readonly capabilities?: readonly string[];
  /** Milliseconds since the epoch of the last change of `state`. */
  readonly since: number;
  readonly devices?: readonly string[];
  /** Requests that hold a lease on it. */
  readonly inFlight?: number;
  /** Its engine's own figures, at most a few seconds old. */
  readonly load?: EngineLoad;
  readonly ladder?: LadderView;
  /** Prompts longer than this go elsewhere for now. */
  readonly longPrompts?: { readonly above: number; readonly to: string };
  /** All requests go there for now. */
  readonly divertedTo?: string;
  /** Marked where engines and cards are simulated. */
  readonly simulated?: true;
  /** An earlier run of Omni started this engine. */
  readonly adopted?: true;
  /** Where its engine listens on this machine, for those who look for themselves. */
  readonly endpoint?: LocalAddress;
  /** What its engine was started as: equal where a restart would change nothing. */
  readonly digest?: string;
}

/** Where requests for a service go for now, because it has stepped down. */
export interface Diversion {
  readonly to: string;
  /** Only prompts longer than this many tokens; all when absent. */
  readonly above?: number;
}

export type RouteView = PlannedRoute;

/** The right to send one request to a service: while it is held, the service is not stopped for another's sake. */
export interface Lease {
  readonly address: Address;
  /** Name by which its engine knows the model; the service's own when absent. */
  readonly model?: string;
  /** Name of its engine in the spec; `kind` is the catalog's. */
  readonly engine?: string;
  readonly kind?: string;
  /** To be called once, when the answer has ended however it did; later calls do nothing. */
  release(): void;
}

/** What the gateway needs of the node. The supervisor implements it; tests put a fake in its place. */
export interface Backends {
  services(): readonly ServiceView[];
  routes(): readonly RouteView[];
  /** The address of a service that is ready and takes requests now, or `undefined`. */
  address(service: string): Address | undefined;
  /** A lease on a service that is ready and takes requests now, or `undefined`. */
  acquire(service: string): Lease | undefined;
  /**
   * Tells that a request waits for one of these, first choice first: of those that are not loaded, the first that can be
   * is loaded. Cheap to repeat. The wait itself is `whenReady`. The returned function takes the demand back.
   */
  demand(services: readonly string[]): () => void;
  /** Resolves true once the service is ready, false when it failed for good, `timeout` ms passed or `signal` aborted. */
  whenReady(service: string, timeout: number, signal: AbortSignal): Promise<boolean>;
  /** Where requests for this service go instead; asked with every request, so it must be cheap. */
  diversion?(service: string): Diversion | undefined;
  /** Tells that a request saw the service's connection break; the supervisor looks for itself. */
  reportBroken(service: string, why: string): void;
  /** Tells that a request was answered 500: the supervisor asks the engine for a token itself. */
  reportWrong?(service: string, why: string): void;
  diagnostics(): readonly Diagnostic[];
}
