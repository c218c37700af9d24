import type { Address } from "../core/index.ts";
import type { LaunchSpec, ProbeTarget } from "../engines/engine.ts";
import type { Plan, PlannedService } from "../plan/plan.ts";
import type { Runtime } from "../runtimes/runtime.ts";

/** A service that is ready to be started, but for its address. */
export interface Prepared {
  /** Kind of engine in the catalog; its driver knows how to watch it. */
  readonly kind: string;
  readonly runtime: Runtime["name"];
  readonly target: ProbeTarget;
  /** Where a server elsewhere listens: nothing is allocated for it. */
  readonly address?: Address;
  /** Port that its owner asked for. */
  readonly port?: number;
  /** What `launch` will carry as its digest. */
  readonly digest: string;
  launch(address: Address): LaunchSpec;
}

/** Makes of a placement what a runtime starts. The composition root implements it; tests put a fake in its place. */
export interface Launcher {
  /**
   * Reads secrets; throws OmniError when one is missing or the service cannot be started here. `plan` is the one that the
   * service is part of, where that is not the node's.
   */
  prepare(service: PlannedService, plan?: Plan): Promise<Prepared>;
}

/** What has changed about the node since it was planned. */
export interface Circumstances {
  /** Devices of the plan that are gone. */
  readonly lostDevices: readonly string[];
  /** Engines that failed for good for a service: its chain goes on with the next. */
  readonly failedEngines: readonly { readonly service: string; readonly engine: string }[];
}

/** Plans the same spec again under other circumstances, keeping every placement that can stay. */
export interface Replanner {
  replan(circumstances: Circumstances): Promise<Plan>;
}
