import type { EventLog } from "../core/index.ts";
import { messageOf } from "../core/index.ts";
import type { EngineFailure } from "../engines/engine.ts";
import type { Plan } from "../plan/plan.ts";
import type { Circumstances, Replanner } from "./launcher.ts";
import type { ServiceKeeper } from "./service-keeper.ts";

export interface ReplanningOptions {
  readonly replanner: Replanner | undefined;
  readonly events: EventLog;
  readonly plan: () => Plan;
  /** Makes the node run by this plan. Services that it has no place for stay as they are. */
  readonly apply: (plan: Plan) => Promise<void>;
}

/** Plans again when circumstances change, one change after the other: what is lost and who failed is kept here. */
export class Replanning {
  readonly #options: ReplanningOptions;
  readonly #lost = new Set<string>();
  #failed: Circumstances["failedEngines"] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: ReplanningOptions) {
    this.#options = options;
  }

  /** Whether one of these devices is gone. */
  hasLost(devices: readonly string[]): boolean {
    return devices.some((device) => this.#lost.has(device));
  }

  close(): void {
    this.#closed = true;
  }

  /** Its owner has a new plan: what failed before may be tried again. */
  forgetFailures(): void {
    this.#failed = [];
  }

  /** An engine failed for good: the service moves to the next of its chain, where there is one. */
  engineFailed(keeper: ServiceKeeper, failure: EngineFailure): void {
    const { fallbacks = [], engine } = keeper.service;
    if (fallbacks.length === 0) return;
    this.#moveOn(
      keeper,
      engine.name,
      `${failure.code === "engine.gave-up" ? "crash loop on" : "failure of"} ${engine.name}`,
    );
  }

  /** The ladder took the step to the next engine. */
  stepToNextEngine(keeper: ServiceKeeper, because: string): void {
    this.#moveOn(keeper, keeper.service.engine.name, because);
  }

  /** The ladder climbed back from another engine: the ones before it may be tried again. */
  stepBack(keeper: ServiceKeeper): void {
    const name = specName(keeper);
    this.#failed = this.#failed.filter(({ service }) => service !== name);
    void this.#change(`${keeper.name} steps back up`, async (plan) => this.#options.apply(plan));
  }

  /** A device is gone, or back. Resolves once the node runs by the new plan, with that plan; `undefined` without a planner. */
  devicesChanged(
    change: { readonly lost?: string; readonly back?: string },
    why: string,
  ): Promise<Plan | undefined> {
    if (change.lost !== undefined) this.#lost.add(change.lost);
    if (change.back !== undefined) this.#lost.delete(change.back);
    return this.#change(why, (plan) => this.#options.apply(plan));
  }

  /** The card is gone for planning from now on; nothing is planned again yet. */
  markLost(device: string): void {
    this.#lost.add(device);
  }

  #moveOn(keeper: ServiceKeeper, engine: string, why: string): void {
    const { events } = this.#options;
    const { name } = keeper;
    this.#failed = [...this.#failed, { service: specName(keeper), engine }];
    void this.#change(why, async (plan) => {
      const next = plan.services.find((service) => service.name === name);
      if (next === undefined || next.engine.name === engine) {
        events.record({
          kind: "service.no-fallback",
          severity: "error",
          service: name,
          message: `${why}: no other engine of ${name}'s chain can run now${rejectionOf(plan, name)}.`,
        });
        return;
      }
      events.record({
        kind: "service.moved",
        severity: "warning",
        service: name,
        message: `${why}: ${name} moved to ${next.engine.name}. ${engine} is not tried again before omni apply or the next start of the node.`,
        data: { from: engine, to: next.engine.name },
      });
      await this.#options.apply(plan);
    });
  }

  #change(why: string, use: (plan: Plan) => Promise<void>): Promise<Plan | undefined> {
    const { replanner, events } = this.#options;
    if (replanner === undefined) return Promise.resolve(undefined);
    const turn = this.#queue;
    const attempt = async (): Promise<Plan | undefined> => {
      await turn;
      if (this.#closed) return undefined;
      try {
        const plan = await replanner.replan({ lostDevices: [...this.#lost], failedEngines: this.#failed });
        if (this.#closed) return undefined;
        await use(plan);
        return plan;
      } catch (error) {
        events.record({
          kind: "node.replan-failed",
          severity: "error",
          message: `${why}: planning again failed: ${messageOf(error)}. Everything stays as it is.`,
        });
        return undefined;
      }
    };
    const done = attempt();
    this.#queue = done;
    return done;
  }
}

/** Replicas share the chain of their service in the spec. */
const specName = ({ service }: ServiceKeeper): string => service.replicaOf ?? service.name;

function rejectionOf({ rejected }: Plan, name: string): string {
  const reason = rejected.findLast(({ service }) => service === name)?.reason;
  return reason === undefined ? "" : ` (${reason})`;
}
