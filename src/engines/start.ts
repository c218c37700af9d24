import type { PlannedService } from "../plan/plan.ts";
import type { EngineFailure, ProcessExit } from "./engine.ts";

/** What the spec says about an engine's start beyond what the plan decides. */
export interface EngineOptions {
  /** Name that the engine announces to clients. */
  readonly servedName: string;
  /** Method given to the engine, `compressed-tensors`. */
  readonly quantization?: string;
  readonly dataParallel?: number;
  readonly expertParallel?: boolean;
  /** How weights are loaded: mapped, mapped and locked, or read into memory. */
  readonly weights: "auto" | "mmap" | "lock" | "read";
  /** Tokens that a draft model proposes at once; its files come by `EnginePlace`. */
  readonly draftTokens?: number;
  readonly kvCacheOffload?: "native" | "lmcache";
  /** What it answers where that is no text: vectors, or an order of documents. */
  readonly task?: "embeddings" | "rerank";
  /** Main memory for prompts of conversations that wait, bytes beside what the plan predicts; none when absent. */
  readonly promptCache?: number;
  /** Program on the process runtime; found on PATH when absent. */
  readonly binary?: string;
  /** Program and first arguments in place of the engine's own. */
  readonly entrypoint?: readonly string[];
  /** The whole command in place of the composed one. */
  readonly command?: readonly string[];
}

/** Where an engine listens and finds its files, as it sees them itself. */
export interface EnginePlace {
  /** `container` starts by the image's layout, `process` by the binary of the options or PATH. */
  readonly runtime: "container" | "process";
  /** Image that it is started from; by the plan's own when absent. */
  readonly image?: string;
  readonly host: string;
  readonly port: number;
  /** Model file or folder; empty for engines that read none. */
  readonly modelPath: string;
  /** Format of the model's files, where the path does not tell it. */
  readonly format?: "gguf" | "safetensors";
  /** Quantization of the model's files as the spec or its family names it, `w4a16`. */
  readonly quantization?: string;
  /** On Kubernetes: its cards are handed over by their UUIDs, and are not any that the device plugin chooses. */
  readonly pinnedByUuid?: boolean;
  /** NUMA nodes whose memory it may use; the engine's own choice when absent. */
  readonly numaNodes?: number;
  /** Folder of a Triton model repository. */
  readonly repositoryPath?: string;
  readonly draftPath?: string;
  readonly projectorPath?: string;
  readonly adapterPaths?: readonly string[];
  readonly chatTemplatePath?: string;
}

/** How an engine is started and watched. Plain values only: secrets are added by whoever starts it. */
export interface EngineStart {
  /** Program and arguments; in a container it replaces entry point and command of the image. */
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** GET path that answers 200 when the engine can serve. */
  readonly readyPath: string;
  /** GET path that answers 200 as long as the process is sound, also under load. */
  readonly livePath: string;
  /** GET path of Prometheus metrics, and the port where it is another; absent where the engine has none. */
  readonly metrics?: { readonly path: string; readonly port?: number };
  /** Ports beside the one of the place, such as Triton's gRPC. */
  readonly furtherPorts?: readonly { readonly name: string; readonly port: number }[];
}

/** One kind of engine as a command line. Pure: the same placement gives the same words. */
export interface EngineStarter {
  /** Name of a kind in the catalog. */
  readonly kind: string;
  start(service: PlannedService, options: EngineOptions, place: EnginePlace): EngineStart;
  /** What its end means, read from the exit and the last lines that it wrote. */
  classifyExit(exit: ProcessExit, lastLines: readonly string[]): EngineFailure;
}
