import type { Code, Diagnostic } from "../core/index.ts";

/** One term of a memory prediction, all in bytes. */
export interface MemoryTerms {
  readonly device: string;
  readonly weights: number;
  readonly kvCache: number;
  readonly compute: number;
  readonly overhead: number;
  readonly total: number;
  readonly capacity: number;
}

/** Restart policy: at most `restarts` within `window` ms, waiting `backoffMin` doubling to `backoffMax` ms between. */
export interface RestartPolicy {
  readonly restarts: number;
  readonly window: number;
  readonly backoffMin: number;
  readonly backoffMax: number;
}

/** A service with everything decided. Bytes, tokens and milliseconds are integers. */
export interface PlannedService {
  readonly name: string;
  readonly engine: { readonly name: string; readonly version: string };
  readonly model: { readonly name: string; readonly path: string; readonly sizeBytes: number };
  readonly devices: readonly string[];
  /** Tokens that one request may use, prompt and answer together. */
  readonly contextTokens: number;
  /** Requests generated at the same time. */
  readonly parallel: number;
  /** Requests that may wait beyond `parallel` before a 429. */
  readonly queueLimit: number;
  readonly threads: number;
  readonly memory: readonly MemoryTerms[];
  readonly restart: RestartPolicy;
  readonly loadTimeout: number;
  readonly extraArguments: readonly string[];
}

/** A name that clients ask for, and the services that may answer it, in order of preference. */
export interface PlannedRoute {
  readonly name: string;
  readonly services: readonly string[];
}

export interface Rejection {
  readonly service: string;
  readonly engine: string;
  readonly model: string;
  readonly devices: readonly string[];
  readonly code: Code;
  readonly reason: string;
  readonly hint: string;
}

/** The frozen result of planning: everything to the right of it reads this and never the spec. */
export interface Plan {
  readonly gateway: { readonly host: string; readonly port: number };
  readonly services: readonly PlannedService[];
  readonly routes: readonly PlannedRoute[];
  readonly rejected: readonly Rejection[];
  /** What the owner should know about this plan: refusals, and what this version does not act on. */
  readonly diagnostics: readonly Diagnostic[];
}
