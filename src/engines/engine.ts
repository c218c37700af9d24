import type { Address, Code } from "../core/index.ts";
import type { PlannedService } from "../plan/plan.ts";

/** A file that an engine reads at its start, such as Triton's model repository. Never a secret. */
export interface LaunchFile {
  /** Absolute, as the engine's host sees it. */
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** A folder or volume of a container. */
export interface ContainerMount {
  /** Absolute path of the host, or the name of a volume. */
  readonly source: string;
  readonly kind: "folder" | "volume";
  readonly at: string;
  readonly readOnly: boolean;
}

/** What a container is given beside its command. Bytes. */
export interface ContainerLaunch {
  readonly image: string;
  readonly mounts: readonly ContainerMount[];
  /** UUIDs (or indices, where none is known) of the cards that it sees; empty for none. */
  readonly cards: readonly string[];
  readonly gpuAccess: "device-requests" | "cdi" | "environment";
  /** Port that the engine listens on inside. */
  readonly port: number;
  /** Networks beside the one that Omni reaches it by. */
  readonly networks: readonly string[];
  readonly shm?: number;
  readonly privileged: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** An object of Kubernetes as it is applied. */
export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** All that a runtime needs to start one engine. A runtime reads the part that is meant for it. */
export interface LaunchSpec {
  readonly service: string;
  readonly command: readonly [string, ...string[]];
  /** May hold secrets: never written to a record, a label, an event or a log. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where Omni reaches it. */
  readonly address: Address;
  /** Milliseconds from start to ready before the start counts as failed. */
  readonly loadTimeout: number;
  /**
   * Stands for everything that a restart would be needed to change: command, files, image, limits, names (not values) of
   * secrets; never the address. An engine that runs with the same digest is taken over as it is.
   */
  readonly digest: string;
  readonly files?: readonly LaunchFile[];
  /** Bounds on a process where cgroups permit. `memory` in bytes, `cpus` as `0-47`. */
  readonly limits?: { readonly memory?: number; readonly cpus?: string; readonly numaNode?: number };
  /** Docker. */
  readonly container?: ContainerLaunch;
  /** Kubernetes: the workload first, then what belongs to it. */
  readonly objects?: readonly ClusterObject[];
}

/** How an engine ended or failed, read from its exit and its own words. */
export interface EngineFailure {
  readonly code: Code;
  readonly message: string;
  readonly hint: string;
  /** False when a restart cannot help: the input is wrong. */
  readonly recoverable: boolean;
  /** For a cache or context that is too large: tokens that the engine itself says would fit. */
  readonly fittingTokens?: number;
  /** Said by an engine that serves on: worth an event, and a step down where that would help, but no restart. */
  readonly goesOn?: true;
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

/** One HTTP request to an engine, relative to its address. */
export interface EngineRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** JSON; absent for none. */
  readonly body?: string;
  /** Where it is not the engine's own port. */
  readonly port?: number;
  /** Where it is a port so far from the engine's own: 2 for Triton's metrics. */
  readonly portOffset?: number;
}

/** What an engine says of its work now. Absent where it does not tell. */
export interface EngineLoad {
  /** Requests being answered, and requests that wait in the engine. */
  readonly running?: number;
  readonly waiting?: number;
  /** KV cache in use, 0 to 1. */
  readonly kvUsed?: number;
  /** Counters since the engine's start. */
  readonly promptTokens?: number;
  readonly generatedTokens?: number;
  readonly preempted?: number;
  /** Moves whenever it computes something for a request. */
  readonly progress?: number;
}

/** What an engine's log says that it took, bytes; absent where it does not tell. `device` as the engine names it: `CUDA0`. */
export interface EngineTook {
  readonly devices: readonly {
    readonly device: string;
    readonly weights?: number;
    readonly kvCache?: number;
    readonly compute?: number;
  }[];
  readonly kvTokens?: number;
  /** Milliseconds that loading the weights took, by its own words. */
  readonly loadTime?: number;
}

/** What an engine is asked for, for probes. */
export interface ProbeTarget {
  /** Name that the engine announces. */
  readonly servedName: string;
  readonly task?: "embeddings" | "rerank";
}

/** One kind of engine that runs: pure knowledge, no sockets and no processes. Its command line is `EngineStarter`'s. */
export interface EngineDriver {
  /** Name of a kind in the catalog. */
  readonly kind: string;
  readonly title: string;
  /** It can listen on a Unix socket. */
  readonly listensOnSocket: boolean;
  /** GET path that tells health, and how to read its answer. */
  readonly healthPath: string;
  /** The same where the path names the model; to be preferred to `healthPath` when present. */
  healthPathOf?(target: ProbeTarget): string;
  readHealth(status: number, body: string): Health;
  /** The smallest piece of real work; absent where none is small (images). */
  readonly probe?: {
    request(target: ProbeTarget): EngineRequest;
    /** Why the answer is none, `undefined` when it is as it should be. */
    fault(status: number, body: string): string | undefined;
  };
  /** Its own figures; absent where it has none. */
  readonly load?: { readonly request: EngineRequest; read(body: string): EngineLoad };
  /** Frees the cards and keeps the process (vLLM level 1: weights go to main memory). */
  readonly sleep?: {
    readonly sleep: EngineRequest;
    readonly wake: EngineRequest;
    /** Arguments and variables without which it cannot. */
    readonly arguments: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
  };
  /** Reads an exit together with the last lines the process wrote. */
  classifyExit(exit: ProcessExit, lastLines: readonly string[]): EngineFailure;
  /** What a line means that it writes while it serves: a core that died while HTTP still answers. Mostly nothing. */
  classifyLine(line: string): EngineFailure | undefined;
  readTook(lines: readonly string[]): EngineTook;
  /**
   * Variables without which it cannot be watched well: its log would be silent about what `readTook` and
   * `onProcessorInstead` look for, or its health would wait for its work. Whoever starts it adds them; the owner's go first.
   */
  readonly watchEnvironment?: Readonly<Record<string, string>>;
  /** Why it computes on the processor although it was given cards, by its own words; `undefined` when it does not. */
  onProcessorInstead(lines: readonly string[]): string | undefined;
  /** How its program tells version and flags; absent where nothing is to be asked. */
  readonly program?: {
    readonly versionArguments: readonly string[];
    readVersion(output: string): string | undefined;
    readonly helpArguments: readonly string[];
    /** Flags of the command that its help does not know, with the nearest known one. */
    unknownFlags(
      help: string,
      command: readonly string[],
    ): readonly { readonly flag: string; readonly meant?: string }[];
  };
  /** Milliseconds from start to ready that this placement is likely to take, before anything was measured. */
  loadTime(service: PlannedService): number;
}
