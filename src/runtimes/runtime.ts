import type { Address } from "../core/index.ts";
import type { LaunchSpec, ProcessExit } from "../engines/engine.ts";

/** One running engine. It belongs to whoever started it; only `stop` or its own end ends it. */
export interface Unit {
  readonly pid: number;
  /** Resolves once the engine and everything it started is gone; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** The newest lines the engine wrote, oldest first, bounded in number and length. */
  lastLines(): readonly string[];
  /**
   * Asks the engine to end and forces it after `deadline` ms; 0 forces at once.
   * May be called again with a shorter deadline. Resolves like `exited`.
   */
  stop(deadline: number): Promise<ProcessExit>;
}

/** An engine that an earlier run left behind and that was ended now. */
export interface Orphan {
  readonly service: string;
  readonly pid: number;
}

/** A place where engines run. One contract suite holds for every implementation. */
export interface Runtime {
  readonly name: string;
  /** Ends what an earlier run of the same state folder left behind. To be called before the first `start`. */
  sweep(): Promise<readonly Orphan[]>;
  /** Where the next start of this service should listen; anything stale at that place is removed. */
  allocate(service: string): Promise<Address>;
  /**
   * Starts one engine. Resolves when its process exists, which is long before it is ready.
   * Throws OmniError `engine.no-binary` (never helps to repeat) or `engine.not-started`.
   */
  start(launch: LaunchSpec): Promise<Unit>;
  /** Gives back sockets and folders, after every unit has ended. */
  close(): Promise<void>;
}
