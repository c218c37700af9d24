import type { EngineFailure, Health } from "../engines/engine.ts";
import type { RestartPolicy } from "../plan/plan.ts";
import type { ServiceState } from "./backends.ts";
import type { Note } from "./service-note.ts";
import type { Timing } from "./timing.ts";

/** Everything known about one service at one moment. Times are milliseconds of the clock that only grows. */
export interface MachineState {
  readonly phase: ServiceState;
  /** Counts launches: what an earlier process still reports is told apart by it. */
  readonly generation: number;
  /** Whether an operating system process exists or is being made. At most one, ever. */
  readonly process: "none" | "launching" | "running";
  readonly pid: number | undefined;
  /** While stopping: what follows once the process is gone. */
  readonly onEnd: "stop" | "recover";
  readonly stopDeadline: number;
  readonly launchedAt: number;
  readonly readyAt: number | undefined;
  readonly answeredAt: number;
  /** Looks without an answer since the last one that had one. */
  readonly unanswered: number;
  /** A request saw the connection break and nobody has looked since. */
  readonly suspect: boolean;
  readonly progress: number | undefined;
  /** When the failures inside the budget's window happened. */
  readonly failures: readonly number[];
  readonly restarts: number;
  readonly failure: EngineFailure | undefined;
  readonly retryDelay: number;
}

export type Input =
  | { readonly kind: "start" }
  | { readonly kind: "launched"; readonly generation: number; readonly pid: number }
  | { readonly kind: "not-launched"; readonly generation: number; readonly failure: EngineFailure }
  | {
      readonly kind: "exit";
      readonly generation: number;
      readonly failure: EngineFailure;
      readonly lastLine: string | undefined;
    }
  | { readonly kind: "health"; readonly generation: number; readonly health: Health }
  | { readonly kind: "wake" }
  | { readonly kind: "broken" }
  | { readonly kind: "stop"; readonly deadline: number };

export type Action =
  | { readonly do: "launch"; readonly generation: number }
  | { readonly do: "kill"; readonly deadline: number }
  /** Look at health after `delay` ms; replaces the look or wait that is under way. */
  | { readonly do: "probe"; readonly delay: number }
  /** Send `wake` after `delay` ms; replaces the look or wait that is under way. */
  | { readonly do: "wait"; readonly delay: number }
  /** Neither look nor wait any more. */
  | { readonly do: "rest" };

export interface Rules {
  readonly restart: RestartPolicy;
  readonly loadTimeout: number;
  readonly timing: Timing;
}

export interface Step {
  readonly state: MachineState;
  readonly actions: readonly Action[];
  readonly notes: readonly Note[];
}

export const INITIAL: MachineState = {
  phase: "stopped",
  generation: 0,
  process: "none",
  pid: undefined,
  onEnd: "recover",
  stopDeadline: 0,
  launchedAt: 0,
  readyAt: undefined,
  answeredAt: 0,
  unanswered: 0,
  suspect: false,
  progress: undefined,
  failures: [],
  restarts: 0,
  failure: undefined,
  retryDelay: 0,
};
