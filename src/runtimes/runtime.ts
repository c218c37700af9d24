import type { Address } from "../core/index.ts";
import type { LaunchSpec, ProcessExit } from "../engines/engine.ts";

/** One running engine. It belongs to whoever started or adopted it; only `stop` or its own end ends it. */
export interface Unit {
  /** Unique on this node, and the same after an adoption. */
  readonly id: string;
  readonly service: string;
  readonly address: Address;
  /** `LaunchSpec.digest` of its start. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** An earlier run of Omni started it. */
  readonly adopted: boolean;
  /** Process of this machine, where there is one that can be named. */
  readonly pid?: number;
  /** File of this machine that everything it writes goes to, those of earlier starts before it; absent where there is none. */
  readonly logFile?: string;
  /** Resolves once the engine and everything it started is gone; never rejects. Both null where nobody could tell how. */
  readonly exited: Promise<ProcessExit>;
  /** The newest lines the engine wrote, oldest first, bounded in number and length. */
  lastLines(): readonly string[];
  /** Calls `listener` with each further line; the returned function ends that. */
  onLine(listener: (line: string) => void): () => void;
  /** Processes of this machine that belong to it, for asking whose memory of a card is whose. Empty where unknown. */
  processes(): Promise<readonly number[]>;
  /**
   * Asks the engine to end and forces it after `deadline` ms; 0 forces at once.
   * May be called again with a shorter deadline. Resolves like `exited`.
   */
  stop(deadline: number): Promise<ProcessExit>;
}

/** An engine that an earlier run of the same node started and that still lives. */
export interface Survivor {
  readonly id: string;
  readonly service: string;
  readonly digest: string;
  readonly pid?: number;
  /** Takes it over as it is. Throws OmniError `engine.not-started` when it ended in the meantime. */
  adopt(): Promise<Unit>;
  /** Ends it by force; resolves once it is gone. */
  end(): Promise<void>;
}

/** What happens while an engine is being started, such as the pull of an image. */
export interface StartProgress {
  /** For a person: `pulling ghcr.io/… 1.2 of 4.8 GiB`. */
  readonly message: string;
  /** 0 to 1, where known. */
  readonly fraction?: number;
}

/** A place where engines run. One contract suite holds for every implementation. */
export interface Runtime {
  readonly name: "process" | "docker" | "kubernetes" | "remote";
  /**
   * What an earlier run of the same state folder left running, once; to be called before the first `start`. Whoever calls
   * it adopts or ends each of them.
   */
  survivors(): Promise<readonly Survivor[]>;
  /**
   * Where the next start of this service should listen; anything stale at that place is removed. `port` is taken when it
   * is free, and any free one otherwise.
   */
  allocate(service: string, wants: { readonly socket: boolean; readonly port?: number }): Promise<Address>;
  /**
   * Starts one engine. Resolves when its process exists, which is long before it is ready.
   * Throws OmniError `engine.no-binary`, `engine.no-image`, `engine.no-space` (never helps to repeat) or `engine.not-started`.
   */
  start(launch: LaunchSpec, onProgress?: (progress: StartProgress) => void): Promise<Unit>;
  /**
   * Gives back sockets, folders and connections. Units must have ended, unless `keep` leaves those that run to the next
   * Omni: engines of a process live on for a bounded time without one.
   */
  close(options?: { readonly keep?: boolean }): Promise<void>;
}
