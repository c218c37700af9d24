import type { Address } from "../../core/index.ts";
import type { StartProgress } from "../runtime.ts";
import type { ClusterSession } from "./cluster-session.ts";
import type { Marks } from "./marks.ts";
import type { WorkloadHandle } from "./workload-control.ts";

/** What a unit is made of. */
export interface UnitOptions {
  readonly session: ClusterSession;
  readonly handle: WorkloadHandle;
  readonly marks: Marks;
  readonly address: Address;
  readonly adopted: boolean;
  readonly fieldManager: string;
  readonly onProgress?: ((progress: StartProgress) => void) | undefined;
  /** Milliseconds that a pod may wait for a place or for what it refers to, before the start has failed. */
  readonly patience: number;
}
