import type { Address, EventLog } from "../core/index.ts";
import { formatDuration } from "../core/index.ts";
import type { EngineDriver } from "../engines/engine.ts";
import type { Plan } from "../plan/plan.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Watch } from "../watch/reading.ts";
import { adoptSurvivors } from "./adoption.ts";
import type { Backends, ServiceView } from "./backends.ts";
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import type { Launcher, Replanner } from "./launcher.ts";
import type { Measured } from "./learning.ts";
import type { CardIdentity } from "./memory-wait.ts";
import { NodeServices } from "./node-services.ts";
import type { PlannedChange } from "./plan-changes.ts";
import type { SupervisorPolicies } from "./policies.ts";
import type { ServiceControl } from "./service-control.ts";
import type { EngineLog, ServiceKeeper } from "./service-keeper.ts";
import { serviceOrders } from "./service-orders.ts";
import type { Timing } from "./timing.ts";

export interface SupervisorOptions {
  readonly plan: Plan;
  readonly launcher: Launcher;
  readonly driverOf: (kind: string) => EngineDriver | undefined;
  /** All runtimes in use; each is closed at the end. */
  readonly runtimeOf: (name: Runtime["name"]) => Runtime;
  readonly events: EventLog;
  readonly clock?: Clock;
  readonly timing?: Timing;
  readonly policies?: SupervisorPolicies;
  readonly watch?: Watch;
  /** Devices of the plan that are cards of this machine. */
  readonly cards?: ReadonlyMap<string, CardIdentity>;
  readonly replanner?: Replanner;
  readonly measured?: Measured;
  readonly simulated?: boolean;
}

export interface Supervisor extends Backends {
  /** The plan that the node runs by now: its owner's, or one made in need. */
  plan(): Plan;
  /** Takes over what still runs as it should, ends what else an earlier run left, starts the rest. Resolves long before they are ready. */
  start(): Promise<void>;
  /**
   * Stops every service at once, by force after `deadline` ms, and gives back sockets. A second call with a shorter
   * deadline hurries the first; 0 kills. Resolves when no engine is left, at most a few seconds after the deadline.
   */
  stop(deadline: number): Promise<void>;
  /** Leaves engines running to the next Omni of the same state folder, and gives back everything else. */
  release(): Promise<void>;
  /** What the engine of a service wrote, or the one that ended last; `undefined` before its first. */
  log(service: string): EngineLog | undefined;
  /** What `apply` would do. */
  preview(plan: Plan): Promise<readonly PlannedChange[]>;
  /** Makes the node run by another plan and leaves alone what already does. Resolves once everything has been begun. */
  apply(plan: Plan): Promise<void>;
  /** Orders by hand. Throws OmniError `service.unknown`. */
  readonly control: ServiceControl;
}

/** After SIGKILL a process is gone at once, unless the kernel itself holds it. */
const KILL_SETTLES = 5000;

/** Keeps a plan's services alive. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { events, launcher, runtimeOf, clock = systemClock } = options;
  const services = new NodeServices(options, clock);
  const { keepers } = services;
  let ending = false;
  let starting: Promise<void> | undefined;
  const used = new Map<Runtime["name"], Runtime>();
  const useRuntimes = (): readonly Runtime[] => {
    for (const { service, engine } of keepers.values()) {
      const name = engine?.prepared.runtime ?? service.runtime ?? "process";
      used.set(name, runtimeOf(name));
    }
    return [...used.values()];
  };

  const begin = async (): Promise<void> => {
    await adoptSurvivors({ runtimes: useRuntimes(), keepers, launcher, events });
    if (!ending) services.begin();
  };

  return {
    plan: () => services.plan,
    services: (): readonly ServiceView[] => [...keepers.values()].map((keeper) => keeper.view),
    routes: () => services.plan.routes,
    address: (service): Address | undefined => keepers.get(service)?.address,
    acquire: (service) => services.acquire(service),
    demand: (names) => services.residency.demand(names),
    diversion: (service) => services.stepping.diversion(service),
    reportBroken: (service) => keepers.get(service)?.send({ kind: "broken" }),
    reportWrong: (service) => keepers.get(service)?.engine?.suspect(),
    diagnostics: () => services.diagnostics(),
    log: (service) => keepers.get(service)?.log,
    preview: (plan) => services.preview(plan),
    apply: (plan) => services.apply(plan),
    control: serviceOrders({ keepers, residency: services.residency, ladder: services.stepping.ladder }),

    async whenReady(service, timeout, signal): Promise<boolean> {
      const keeper = keepers.get(service);
      if (keeper === undefined) return false;
      if (keeper.address !== undefined) return true;
      const limit = new AbortController();
      const cancel = clock.after(timeout, () => limit.abort());
      const ready = await keeper.until(readiness, AbortSignal.any([signal, limit.signal]));
      cancel();
      return ready ?? false;
    },

    start(): Promise<void> {
      starting ??= begin();
      return starting;
    },

    async stop(deadline): Promise<void> {
      ending = true;
      services.close();
      const limit = new AbortController();
      const cancel = clock.after(deadline + KILL_SETTLES, () => limit.abort());
      // What an earlier run left is looked for to the end: nothing of it may be taken over after this.
      await ended(starting, limit.signal);
      const all = [...keepers.values()];
      for (const keeper of all) keeper.send({ kind: "stop", deadline });
      await Promise.all(all.map((keeper) => keeper.until(isStopped, limit.signal)));
      cancel();
      for (const { view } of all) if (view.state !== "stopped") reportStuck(events, view, deadline);
      await Promise.all(useRuntimes().map((runtime) => runtime.close()));
    },

    async release(): Promise<void> {
      ending = true;
      services.close();
      const limit = new AbortController();
      const cancel = clock.after(2 * KILL_SETTLES, () => limit.abort());
      await ended(starting, limit.signal);
      const all = [...keepers.values()];
      // What is on its way down is not wanted any more; what is still being made would be nobody's.
      for (const keeper of all)
        if (!worthLeaving(keeper)) keeper.send({ kind: "stop", deadline: KILL_SETTLES });
      await Promise.all(
        all.filter((keeper) => !worthLeaving(keeper)).map((keeper) => keeper.until(isStopped, limit.signal)),
      );
      cancel();
      for (const keeper of all) keeper.letGo();
      await Promise.all(useRuntimes().map((runtime) => runtime.close({ keep: true })));
    },
  };
}

/** Resolves when something has ended, however it did, or when `signal` aborts. */
function ended(something: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  if (something === undefined || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
    something.then(end, end);
  });
}

/** An engine that is up, or on its way up, is left to the next Omni. */
const worthLeaving = ({ state }: ServiceKeeper): boolean =>
  state.process === "running" && ["starting", "loading", "ready"].includes(state.phase);

/** True when requests may go there, false when they never will, `undefined` while that is open. */
function readiness(keeper: ServiceKeeper): boolean | undefined {
  if (keeper.address !== undefined) return true;
  const { phase, goal, generation } = keeper.state;
  if (phase === "failed" || (phase === "stopping" && goal === "stop")) return false;
  return phase === "stopped" && generation > 0 ? false : undefined;
}

const isStopped = (keeper: ServiceKeeper): true | undefined =>
  keeper.state.phase === "stopped" ? true : undefined;

function reportStuck(events: EventLog, view: ServiceView, deadline: number): void {
  events.record({
    kind: "service.stop-stuck",
    severity: "error",
    service: view.name,
    message: `${view.name} (process ${view.pid ?? "unknown"}) still lives ${formatDuration(deadline + KILL_SETTLES)} after the stop; the kernel holds it.`,
  });
}
