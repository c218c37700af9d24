import type { EngineOptions, EnginePlace, EngineStart } from "../engines/start.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { DeployedCard, Environment, Refused } from "./deployment.ts";

/** A folder or volume that a container sees. */
export interface DeployedMount {
  /** Unique within the service, a DNS label. */
  readonly name: string;
  /** A folder of the node, or a named volume (Docker) or claim (Kubernetes). */
  readonly source:
    | { readonly kind: "folder"; readonly path: string; readonly disk?: string; readonly create: boolean }
    | { readonly kind: "volume"; readonly volume: string; readonly path?: string; readonly size?: number };
  readonly at: string;
  readonly readOnly: boolean;
  readonly propagation?: "None" | "HostToContainer" | "Bidirectional";
  /** `weights` hold models; everything else is `data`. */
  readonly purpose: "weights" | "data";
}

/** A service with all that a runtime is told about it. Bytes and milliseconds. */
export interface DeployedService {
  /** DNS label, unique in the deployment. */
  readonly name: string;
  /** Name in the spec, where this is a further replica. */
  readonly replicaOf?: string;
  /** Placement and settings; for a refused service what its owner wrote, with no memory terms. */
  readonly planned: PlannedService;
  /** Model that proposes tokens; its files lie beside those of its own. */
  readonly draftModel?: string;
  readonly refused?: Refused;
  readonly runtime: "process" | "docker" | "kubernetes";
  /** Kind of engine in the catalog. */
  readonly kind: string;
  readonly engineVersion?: string;
  readonly machine?: string;
  /** Cluster and node, on Kubernetes; the node is absent where any will do. */
  readonly cluster?: string;
  readonly node?: string;
  /** Image to run; absent on the process runtime. */
  readonly image?: string;
  readonly options: EngineOptions;
  readonly place: EnginePlace;
  readonly start: EngineStart;
  /** Variables of engine and service that the owner set, after those of `start`; the owner's win. */
  readonly environment: Environment;
  readonly cards: readonly DeployedCard[];
  /** Nobody else is on its cards. */
  readonly exclusive: boolean;
  /** Swap set whose members take turns on its cards, and whether it is the one that is loaded first. */
  readonly turns?: { readonly set: string; readonly standing: boolean };
  readonly mounts: readonly DeployedMount[];
  readonly port: number;
  readonly nodePort?: number;
  readonly hostPort?: number;
  readonly networks: readonly string[];
  /** /dev/shm, bytes; absent leaves the runtime's 64 MiB. */
  readonly shm?: number;
  /** Main memory that the plan predicts, shm included, bytes; 0 where it was refused. */
  readonly memoryRequest: number;
  /** Limit on main memory, never below request and shm. */
  readonly memoryLimit?: number;
  /** CPUs that it may use, `0-47`. */
  readonly cpus?: string;
  readonly numaNode?: number;
  /** Threads that compute; 0 leaves it to the engine. */
  readonly threads: number;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string | number>>;
    readonly limits?: Readonly<Record<string, string | number>>;
  };
  readonly privileged: boolean;
  readonly strategy: "recreate" | "rolling";
  readonly after: readonly string[];
  readonly loadTimeout: number;
  readonly drainTimeout: number;
  /** ComfyUI workflow templates, Kubernetes labels and the like stay the owner's. */
  readonly labels: Readonly<Record<string, string>>;
}
