import type { EngineFailure, Health } from "../engines/engine.ts";
import type { RestartPolicy } from "../plan/plan.ts";
import type { ServiceState } from "./backends.ts";
import type { Note } from "./service-note.ts";
import type { Timing } from "./timing.ts";

/** What follows once a drain is over or a process is gone. */
export type Goal =
  /** Its owner, or the end of the node, wants it down. */
  | "stop"
  /** It gives its cards away; the next request loads it. */
  | "unload"
  /** It starts again at once, as something about it has changed. */
  | "restart"
  /** It failed: the restart budget decides. */
  | "recover"
  /** Its process stays and gives its cards away. Only while draining. */
  | "sleep"
  /** Nothing: it stays up and takes nothing new until its owner resumes it. Only while draining. */
  | "stay";

/** Everything known about one service at one moment. Times are milliseconds of the clock that only grows. */
export interface MachineState {
  readonly phase: ServiceState;
  /** Counts launches: what an earlier process still reports is told apart by it. */
  readonly generation: number;
  /** Whether an engine exists or is being made. At most one, ever. */
  readonly process: "none" | "launching" | "running";
  readonly pid: number | undefined;
  /** An earlier run of Omni started this engine. */
  readonly adopted: boolean;
  /** While draining and stopping. */
  readonly goal: Goal;
  /** Why it is wanted, unloaded, drained or asleep, for a person. */
  readonly why: string | undefined;
  /** While queued: what it waits for, for a person. */
  readonly waitsFor: string | undefined;
  /** While queued: it has its turn and only waits for memory to be free. */
  readonly granted: boolean;
  /** The process that exists sleeps, or is being woken. */
  readonly sleeps: boolean;
  readonly stopDeadline: number;
  readonly launchedAt: number;
  readonly readyAt: number | undefined;
  readonly answeredAt: number;
  /** Looks without an answer since the last one that had one. */
  readonly unanswered: number;
  /** A request saw the connection break and nobody has looked since. */
  readonly suspect: boolean;
  /** The engine says that it is ready; a first request of Omni's own is on its way. */
  readonly warming: boolean;
  /** First requests of this start that had no good answer. */
  readonly coldAnswers: number;
  readonly progress: number | undefined;
  /** When the failures inside the budget's window happened. */
  readonly failures: readonly number[];
  readonly restarts: number;
  readonly failure: EngineFailure | undefined;
  readonly retryDelay: number;
}

export type Input =
  /** Somebody wants it up: its owner, the plan, or a request. `anew` forgets earlier failures. */
  | { readonly kind: "start"; readonly why?: string; readonly anew?: boolean }
  /** It is queued and may not start yet. */
  | { readonly kind: "blocked"; readonly why: string }
  /** Its cards are its own now; only memory may have to become free. */
  | { readonly kind: "granted" }
  /** It has its turn, and memory is not free yet. */
  | { readonly kind: "waiting"; readonly why: string }
  /** It is queued and starts now. */
  | { readonly kind: "turn" }
  | { readonly kind: "adopted"; readonly pid: number | undefined }
  | { readonly kind: "launched"; readonly generation: number; readonly pid: number | undefined }
  | { readonly kind: "not-launched"; readonly generation: number; readonly failure: EngineFailure }
  | {
      readonly kind: "exit";
      readonly generation: number;
      readonly failure: EngineFailure;
      readonly lastLine: string | undefined;
    }
  | { readonly kind: "health"; readonly generation: number; readonly health: Health }
  /** The first request was answered, or why not. */
  | { readonly kind: "warmed"; readonly generation: number; readonly fault?: string }
  /** Something other than health found it to be of no use. */
  | { readonly kind: "fault"; readonly generation: number; readonly failure: EngineFailure }
  /** A call to sleep or to wake came back. */
  | { readonly kind: "slept" | "woken"; readonly generation: number; readonly fault?: string }
  | { readonly kind: "wake" }
  | { readonly kind: "broken" }
  | {
      readonly kind: "drain";
      readonly goal: Exclude<Goal, "recover">;
      readonly why: string;
      /** Milliseconds that answers have to finish; without effect for `stay`. */
      readonly limit: number;
      /** Requests being answered now. */
      readonly inFlight: number;
    }
  /** The last request that was being answered has ended. */
  | { readonly kind: "drained" }
  /** It cannot run any more, whatever it does: its card is gone. */
  | { readonly kind: "doomed"; readonly failure: EngineFailure }
  | { readonly kind: "stop"; readonly deadline: number };

export type Action =
  | { readonly do: "launch"; readonly generation: number }
  | { readonly do: "kill"; readonly deadline: number }
  /** Look at health after `delay` ms; replaces the look or wait that is under way. */
  | { readonly do: "probe"; readonly delay: number }
  /** Send `wake` after `delay` ms; replaces the look or wait that is under way. */
  | { readonly do: "wait"; readonly delay: number }
  /** Neither look nor wait any more. */
  | { readonly do: "rest" }
  /** One request for one token; `warmed` tells how it went. */
  | { readonly do: "warm-up"; readonly delay: number }
  /** Ask the engine to sleep or to wake. */
  | { readonly do: "put-to-sleep" | "rouse" };

export interface Rules {
  readonly restart: RestartPolicy;
  readonly loadTimeout: number;
  readonly timing: Timing;
  /** One request of Omni's own comes before those of clients. */
  readonly warmUp: boolean;
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
  adopted: false,
  goal: "recover",
  why: undefined,
  waitsFor: undefined,
  granted: false,
  sleeps: false,
  stopDeadline: 0,
  launchedAt: 0,
  readyAt: undefined,
  answeredAt: 0,
  unanswered: 0,
  suspect: false,
  warming: false,
  coldAnswers: 0,
  progress: undefined,
  failures: [],
  restarts: 0,
  failure: undefined,
  retryDelay: 0,
};

export const stay = (state: MachineState): Step => ({ state, actions: [], notes: [] });
