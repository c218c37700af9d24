import type { Address, Diagnostic, EventLog } from "../core/index.ts";
import { CODES, OmniError, formatDuration } from "../core/index.ts";
import type { EngineDriver } from "../engines/engine.ts";
import type { Plan, PlannedService } from "../plan/plan.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { Backends, RouteView, ServiceView } from "./backends.ts";
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import { ServiceKeeper } from "./service-keeper.ts";
import type { Timing } from "./timing.ts";
import { TIMING } from "./timing.ts";

export interface SupervisorOptions {
  readonly plan: Plan;
  readonly drivers: readonly EngineDriver[];
  readonly runtime: Runtime;
  readonly events: EventLog;
  readonly clock?: Clock;
  readonly timing?: Timing;
}

export interface Supervisor extends Backends {
  /** Ends what an earlier run left behind and starts every service. Resolves long before they are ready. */
  start(): Promise<void>;
  /**
   * Stops every service at once, by force after `deadline` ms, and gives back sockets. A second call with a shorter
   * deadline hurries the first; 0 kills. Resolves when no engine is left, at most a few seconds after the deadline.
   */
  stop(deadline: number): Promise<void>;
}

/** After SIGKILL a process is gone at once, unless the kernel itself holds it. */
const KILL_SETTLES = 5000;

/** Keeps a plan's services alive. Throws OmniError `engine.not-run-here` when an engine has no driver. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { plan, runtime, events, clock = systemClock, timing = TIMING } = options;
  const keepers = new Map(
    plan.services.map((service) => [
      service.name,
      new ServiceKeeper({
        service,
        driver: driverFor(service, options.drivers),
        runtime,
        events,
        clock,
        rules: { restart: service.restart, loadTimeout: service.loadTimeout, timing },
      }),
    ]),
  );
  let stopping = false;

  return {
    services: (): readonly ServiceView[] => [...keepers.values()].map((keeper) => keeper.view),
    routes: (): readonly RouteView[] => plan.routes,
    address: (service): Address | undefined => keepers.get(service)?.address,
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
      for (const orphan of await runtime.sweep()) {
        events.record({
          kind: "service.orphan-killed",
          severity: "warning",
          service: orphan.service,
          message: `An engine of ${orphan.service} from an earlier run still lived (process ${orphan.pid}); Omni killed it.`,
          data: { pid: orphan.pid },
        });
      }
      if (!stopping) for (const keeper of keepers.values()) keeper.send({ kind: "start" });
    },

    async stop(deadline): Promise<void> {
      stopping = true;
      const limit = new AbortController();
      const cancel = clock.after(deadline + KILL_SETTLES, () => limit.abort());
      for (const keeper of keepers.values()) keeper.send({ kind: "stop", deadline });
      await Promise.all([...keepers.values()].map((keeper) => keeper.until(isStopped, limit.signal)));
      cancel();
      for (const { view } of keepers.values())
        if (view.state !== "stopped") reportStuck(events, view, deadline);
      await runtime.close();
    },
  };
}

function driverFor(service: PlannedService, drivers: readonly EngineDriver[]): EngineDriver {
  const driver = drivers.find(({ name }) => name === service.engine.name);
  if (driver !== undefined) return driver;
  const known = drivers.map(({ name }) => name).join(", ");
  throw new OmniError(
    "engine.not-run-here",
    `services.${service.name}: this version cannot start the engine ${service.engine.name}; it can start ${known}.`,
  );
}

/** True when requests may go there, false when they never will, `undefined` while that is open. */
function readiness(keeper: ServiceKeeper): boolean | undefined {
  if (keeper.address !== undefined) return true;
  const { phase, onEnd, generation } = keeper.state;
  if (phase === "failed" || (phase === "stopping" && onEnd === "stop")) return false;
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
