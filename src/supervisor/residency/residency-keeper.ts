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
export type ResidencyPlan = Pick<Plan, "services" | "swapSets" | "ledger">;

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
export function createResidencyKeeper(options: ResidencyKeeperOptions): ResidencyKeeper {
  const { clock, control, events, policies } = options;
  const inbox: ResidencyInput[] = [];
  let rules = rulesOf(options.plan, options);
  let state: ResidencyState = EMPTY_RESIDENCY;
  let busy = false;
  let closed = false;
  let cancel: (() => void) | undefined;

  const perform = (action: ResidencyAction): void => {
    switch (action.do) {
      case "load":
        control.load(action.service, action.why);
        return;
      case "unload":
        control.unload(action.service, { why: action.why, drain: action.drain, sleep: action.sleep });
        return;
      case "wake":
        cancel?.();
        cancel = clock.after(Math.max(0, Math.ceil(action.at - clock.elapsed())), () =>
          send({ kind: "tick" }),
        );
        return;
    }
  };
  const take = (input: ResidencyInput): void => {
    const step = stepResidency(state, input, clock.elapsed(), rules);
    state = step.state;
    for (const note of step.notes) events.record(describeResidency(note));
    for (const action of step.actions) perform(action);
  };
  const send = (input: ResidencyInput): void => {
    if (closed) return;
    inbox.push(input);
    if (busy) return;
    busy = true;
    try {
      for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) take(next);
    } finally {
      busy = false;
    }
  };
  const members = (plan: ResidencyPlan): ResidencyInput => ({
    kind: "members",
    loadTimes: new Map(plan.services.map(({ name }) => [name, options.loadTime(name)])),
  });
  send(members(options.plan));

  return {
    demand(services) {
      const asked = [...services];
      send({ kind: "demand", services: asked, count: 1 });
      let held = true;
      return () => {
        if (held) send({ kind: "withdraw", services: asked, count: 1 });
        held = false;
      };
    },
    leaseTaken: (service) => send({ kind: "lease-taken", service }),
    leaseReleased: (service) => send({ kind: "lease-released", service }),
    stateChanged: (service, to) => send(heardOf(service, to, options.loadTime)),
    load: (service, why) => send({ kind: "load", service, why }),
    unload: (service, why) => send({ kind: "unload", service, why }),
    ban: (service, by) => send({ kind: "ban", service, by }),
    unban: (service, by) => send({ kind: "unban", service, by }),
    outlook: (service) => outlookOf(state, service, clock.elapsed(), rules),
    start: () => send({ kind: "start" }),
    replan(plan) {
      rules = rulesOf(plan, { ...options, policies });
      send(members(plan));
    },
    close() {
      closed = true;
      inbox.length = 0;
      cancel?.();
    },
  };
}

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
