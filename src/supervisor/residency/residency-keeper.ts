import type { EventLog } from "../../core/index.ts";
import type { Plan } from "../../plan/plan.ts";
import type { ServiceState } from "../backends.ts";
import type { Clock } from "../clock.ts";
import type { LoadControl } from "../load-control.ts";
import { membersOf } from "./members.ts";
import { stepResidency } from "./residency-machine.ts";
import { describeResidency } from "./residency-note.ts";
import { EMPTY_RESIDENCY } from "./residency-state.ts";
import type {
  Outlook,
  ResidencyAction,
  ResidencyInput,
  ResidencyRules,
  ResidencyState,
} from "./residency-state.ts";
import { outlookOf } from "./outlook.ts";

/** What the owner's policies say about taking turns; milliseconds. */
export interface SwapPolicies {
  readonly swap: {
    readonly minResidency: number;
    readonly ttl: number | false;
    readonly maxWait: number;
  };
}

/** The part of a plan that the residency reads. */
export type ResidencyPlan = Pick<Plan, "services" | "routes" | "swapSets" | "ledger">;

export interface ResidencyKeeperOptions {
  readonly plan: ResidencyPlan;
  readonly policies: SwapPolicies;
  readonly clock: Clock;
  readonly events: EventLog;
  /** May call `stateChanged` before it returns. */
  readonly control: LoadControl;
  /** Whether the service's engine can free its cards and keep its process. */
  readonly canSleep: (service: string) => boolean;
  /** Milliseconds that a load is likely to take, measured or estimated; asked at the start and after each load. */
  readonly loadTime: (service: string) => number;
}

/** Decides which services are loaded. It never acts on a service that it was not told the state of. */
export interface ResidencyKeeper {
  /** A request waits for one of these, first choice first; the returned function takes that back, once. */
  demand(services: readonly string[]): () => void;
  leaseTaken(service: string): void;
  leaseReleased(service: string): void;
  /** To be called with every change of a service's state, however it came about. */
  stateChanged(service: string, state: ServiceState): void;
  /** The owner wants it loaded now: others give way, pinned ones excepted. */
  load(service: string, why: string): void;
  /** The owner wants it unloaded now; the next request for it loads it again. */
  unload(service: string, why: string): void;
  /** It makes room for `by` until `unban`. */
  ban(service: string, by: string): void;
  unban(service: string, by: string): void;
  outlook(service: string): Outlook;
  /** Loads what is to be there without being asked for. Before it nothing is loaded, demand is only noted. */
  start(): void;
  /** Goes on with another plan; what is loaded stays as far as the new plan lets it. */
  replan(plan: ResidencyPlan): void;
  /** Ends its timer; nothing is unloaded. */
  close(): void;
}

/** The one writer of the residency: takes inputs in order, lets the machine decide, and does what it decided. */
class NodeResidency implements ResidencyKeeper {
  readonly #options: ResidencyKeeperOptions;
  readonly #inbox: ResidencyInput[] = [];
  #rules: ResidencyRules;
  #state: ResidencyState = EMPTY_RESIDENCY;
  #busy = false;
  #closed = false;
  #cancel: (() => void) | undefined;

  constructor(options: ResidencyKeeperOptions) {
    this.#options = options;
    this.#rules = rulesOf(options.plan, options);
    this.replan(options.plan);
  }

  demand(services: readonly string[]): () => void {
    const asked = [...services];
    this.#send({ kind: "demand", services: asked, count: 1 });
    let held = true;
    return () => {
      if (held) this.#send({ kind: "withdraw", services: asked, count: 1 });
      held = false;
    };
  }

  leaseTaken(service: string): void {
    this.#send({ kind: "lease-taken", service });
  }

  leaseReleased(service: string): void {
    this.#send({ kind: "lease-released", service });
  }

  stateChanged(service: string, state: ServiceState): void {
    this.#send(heardOf(service, state, this.#options.loadTime));
  }

  load(service: string, why: string): void {
    this.#send({ kind: "load", service, why });
  }

  unload(service: string, why: string): void {
    this.#send({ kind: "unload", service, why });
  }

  ban(service: string, by: string): void {
    this.#send({ kind: "ban", service, by });
  }

  unban(service: string, by: string): void {
    this.#send({ kind: "unban", service, by });
  }

  outlook(service: string): Outlook {
    return outlookOf(this.#state, service, this.#options.clock.elapsed(), this.#rules);
  }

  start(): void {
    this.#send({ kind: "start" });
  }

  replan(plan: ResidencyPlan): void {
    this.#rules = rulesOf(plan, this.#options);
    const { loadTime } = this.#options;
    this.#send({
      kind: "members",
      loadTimes: new Map(plan.services.map(({ name }) => [name, loadTime(name)])),
    });
  }

  close(): void {
    this.#closed = true;
    this.#inbox.length = 0;
    this.#cancel?.();
  }

  #send(input: ResidencyInput): void {
    if (this.#closed) return;
    this.#inbox.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) this.#take(next);
    } finally {
      this.#busy = false;
    }
  }

  #take(input: ResidencyInput): void {
    const { clock, events } = this.#options;
    const step = stepResidency(this.#state, input, clock.elapsed(), this.#rules);
    this.#state = step.state;
    for (const note of step.notes) events.record(describeResidency(note));
    for (const action of step.actions) this.#perform(action);
  }

  #perform(action: ResidencyAction): void {
    const { clock, control } = this.#options;
    switch (action.do) {
      case "load":
        if (control.load(action.service, action.why) === false)
          this.#send({ kind: "failed", service: action.service });
        return;
      case "unload":
        control.unload(action.service, { why: action.why, drain: action.drain, sleep: action.sleep });
        return;
      case "wake": {
        this.#cancel?.();
        const delay = Math.max(0, Math.ceil(action.at - clock.elapsed()));
        this.#cancel = clock.after(delay, () => this.#send({ kind: "tick" }));
        return;
      }
    }
  }
}

export const createResidencyKeeper = (options: ResidencyKeeperOptions): ResidencyKeeper =>
  new NodeResidency(options);

const rulesOf = (plan: ResidencyPlan, { policies, canSleep }: ResidencyKeeperOptions): ResidencyRules => ({
  members: membersOf(plan, policies.swap, canSleep),
  minResidency: policies.swap.minResidency,
  maxWait: policies.swap.maxWait,
});

function heardOf(
  service: string,
  state: ServiceState,
  loadTime: (service: string) => number,
): ResidencyInput {
  switch (state) {
    case "queued":
    case "starting":
    case "loading":
      return { kind: "coming", service };
    case "ready":
      return { kind: "ready", service, loadTime: loadTime(service) };
    case "draining":
    case "stopping":
      return { kind: "leaving", service };
    case "backing-off":
      return { kind: "stalled", service };
    case "asleep":
      return { kind: "gone", service, asleep: true };
    case "stopped":
    case "unloaded":
      return { kind: "gone", service, asleep: false };
    case "failed":
      return { kind: "failed", service };
  }
}
