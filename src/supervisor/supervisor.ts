import type { Address, Diagnostic, EventLog } from "../core/index.ts";
import { CODES, formatDuration } from "../core/index.ts";
import type { EngineDriver } from "../engines/engine.ts";
import type { Plan } from "../plan/plan.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Watch } from "../watch/reading.ts";
import { adoptSurvivors } from "./adoption.ts";
import type { Backends, Lease, RouteView, ServiceView } from "./backends.ts";
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import type { Launcher, Replanner } from "./launcher.ts";
import type { CardIdentity } from "./memory-wait.ts";
import type { KeeperSurroundings } from "./service-keeper.ts";
import { ServiceKeeper } from "./service-keeper.ts";
import { StartGate } from "./start-gate.ts";
import type { Timing } from "./timing.ts";
import { TIMING } from "./timing.ts";

export interface SupervisorOptions {
  readonly plan: Plan;
  readonly launcher: Launcher;
  readonly driverOf: (kind: string) => EngineDriver | undefined;
  /** All runtimes in use; each is closed at the end. */
  readonly runtimeOf: (name: Runtime["name"]) => Runtime;
  readonly events: EventLog;
  readonly clock?: Clock;
  readonly timing?: Timing;
  readonly watch?: Watch;
  /** Devices of the plan that are cards of this machine. */
  readonly cards?: ReadonlyMap<string, CardIdentity>;
  readonly replanner?: Replanner;
  readonly simulated?: boolean;
}

export interface Supervisor extends Backends {
  /** Takes over what still runs as it should, ends what else an earlier run left, starts the rest. Resolves long before they are ready. */
  start(): Promise<void>;
  /**
   * Stops every service at once, by force after `deadline` ms, and gives back sockets. A second call with a shorter
   * deadline hurries the first; 0 kills. Resolves when no engine is left, at most a few seconds after the deadline.
   */
  stop(deadline: number): Promise<void>;
  /** Leaves engines running to the next Omni of the same state folder, and gives back everything else. */
  release(): Promise<void>;
}

/** After SIGKILL a process is gone at once, unless the kernel itself holds it. */
const KILL_SETTLES = 5000;
/** Without a policy: time without progress, with work waiting, after which an engine counts as hung. */
const STALL = 120_000;

/** Keeps a plan's services alive. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { plan, events, runtimeOf, clock = systemClock, timing = TIMING } = options;
  const keepers = new Map<string, ServiceKeeper>();
  let stopping = false;
  const gate = new StartGate({
    keepers: () => keepers.values(),
    swapSets: () => plan.swapSets ?? [],
    events,
    clock,
    timing,
    watch: options.watch,
    cards: options.cards ?? new Map(),
    onShortfall: () => {},
  });
  const around: KeeperSurroundings = {
    launcher: options.launcher,
    driverOf: options.driverOf,
    runtimeOf,
    events,
    clock,
    timing,
    stall: STALL,
    sidelights: (keeper) => ({ inFlight: keeper.inFlight }),
    onInput: () => gate.arrange(),
  };
  for (const service of plan.services) keepers.set(service.name, new ServiceKeeper(service, around));
  const runtimes = (): Runtime[] => [
    ...new Set(plan.services.map(({ runtime }) => runtimeOf(runtime ?? "process"))),
  ];

  return {
    services: (): readonly ServiceView[] => [...keepers.values()].map((keeper) => keeper.view),
    routes: (): readonly RouteView[] => plan.routes,
    address: (service): Address | undefined => keepers.get(service)?.address,
    acquire: (service): Lease | undefined => keepers.get(service)?.acquire(),
    demand: (services) => {
      for (const name of services) {
        const keeper = keepers.get(name);
        if (keeper?.state.phase !== "unloaded" && keeper?.state.phase !== "asleep") continue;
        keeper.send({ kind: "start", why: "A request asks for it." });
        break;
      }
      return () => {};
    },
    reportBroken: (service) => keepers.get(service)?.send({ kind: "broken" }),
    diagnostics: () => [...plan.diagnostics, ...[...keepers.values()].flatMap(trouble)],

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

    async start(): Promise<void> {
      await adoptSurvivors({ runtimes: runtimes(), keepers, launcher: options.launcher, events });
      if (!stopping) for (const keeper of keepers.values()) keeper.send({ kind: "start" });
    },

    async stop(deadline): Promise<void> {
      stopping = true;
      const limit = new AbortController();
      const cancel = clock.after(deadline + KILL_SETTLES, () => limit.abort());
      for (const keeper of keepers.values()) keeper.send({ kind: "stop", deadline });
      await Promise.all([...keepers.values()].map((keeper) => keeper.until(isStopped, limit.signal)));
      cancel();
      gate.close();
      for (const { view } of keepers.values())
        if (view.state !== "stopped") reportStuck(events, view, deadline);
      await Promise.all(runtimes().map((runtime) => runtime.close()));
    },

    async release(): Promise<void> {
      stopping = true;
      gate.close();
      for (const keeper of keepers.values()) keeper.letGo();
      await Promise.all(runtimes().map((runtime) => runtime.close({ keep: true })));
    },
  };
}

/** True when requests may go there, false when they never will, `undefined` while that is open. */
function readiness(keeper: ServiceKeeper): boolean | undefined {
  if (keeper.address !== undefined) return true;
  const { phase, goal, generation } = keeper.state;
  if (phase === "failed" || (phase === "stopping" && goal === "stop")) return false;
  return phase === "stopped" && generation > 0 ? false : undefined;
}

const isStopped = (keeper: ServiceKeeper): true | undefined =>
  keeper.state.phase === "stopped" ? true : undefined;

function trouble(keeper: ServiceKeeper): Diagnostic[] {
  const { phase, failure } = keeper.state;
  if (phase !== "failed" || failure === undefined) return [];
  const { name } = keeper.view;
  return [
    {
      code: failure.code,
      severity: "error",
      path: `services.${name}`,
      message: failure.message,
      hint: failure.hint === "" ? CODES[failure.code].remedy : failure.hint,
    },
  ];
}

function reportStuck(events: EventLog, view: ServiceView, deadline: number): void {
  events.record({
    kind: "service.stop-stuck",
    severity: "error",
    service: view.name,
    message: `${view.name} (process ${view.pid ?? "unknown"}) still lives ${formatDuration(deadline + KILL_SETTLES)} after the stop; the kernel holds it.`,
  });
}
