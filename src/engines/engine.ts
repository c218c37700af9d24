import type { Address, Code } from "../core/index.ts";
import type { PlannedService } from "../plan/plan.ts";

/** All that a runtime needs to start one engine. */
export interface LaunchSpec {
  readonly service: string;
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  readonly address: Address;
  /** Milliseconds from start to ready before the start counts as failed. */
  readonly loadTimeout: number;
}

/** How an engine ended or failed, read from its exit and its own words. */
export interface EngineFailure {
  readonly code: Code;
  readonly message: string;
  readonly hint: string;
  /** False when a restart cannot help: the input is wrong. */
  readonly recoverable: boolean;
}

/** What a health probe said. `progress` is a fraction from 0 to 1 where the engine reports one. */
export type Health =
  | { readonly state: "ready" }
  | { readonly state: "loading"; readonly progress?: number }
  | { readonly state: "failed"; readonly failure: EngineFailure }
  | { readonly state: "unreachable"; readonly reason: string };

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One kind of engine: pure knowledge, no sockets and no processes. */
export interface EngineDriver {
  readonly name: string;
  launch(service: PlannedService, address: Address): LaunchSpec;
  /** GET path that tells health, and how to read its answer. */
  readonly healthPath: string;
  readHealth(status: number, body: string): Health;
  /** Reads an exit together with the last lines the process wrote. */
  classifyExit(exit: ProcessExit, lastLines: readonly string[]): EngineFailure;
}
