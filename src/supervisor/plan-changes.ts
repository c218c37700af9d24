import { messageOf } from "../core/index.ts";
import type { Plan, PlannedService } from "../plan/plan.ts";
import type { Launcher, Prepared } from "./launcher.ts";
import type { ServiceKeeper } from "./service-keeper.ts";

/** What applying a plan does to one service. */
export interface PlannedChange {
  readonly service: string;
  readonly change: "keep" | "start" | "restart" | "stop";
  /** For a person. */
  readonly why: string;
}

export interface ComparedPlan {
  readonly plan: Plan;
  /** A service of the plan as it would be started now: as planned, or some rungs down. */
  readonly wanted: (service: PlannedService) => PlannedService;
  readonly running: ReadonlyMap<string, ServiceKeeper>;
  readonly launcher: Launcher;
  /** Whether one of these devices is gone: nothing can start there. */
  readonly hasLost: (devices: readonly string[]) => boolean;
}

/** What has to change so that the node runs as a plan says: nothing that already does is touched. Starts nothing. */
export async function planChanges(compared: ComparedPlan): Promise<readonly PlannedChange[]> {
  const { plan, running } = compared;
  const names = new Set(plan.services.map(({ name }) => name));
  const stops = [...running.values()]
    .filter(({ name, leavesForGood }) => !names.has(name) && !leavesForGood)
    .map(({ name }): PlannedChange => ({
      service: name,
      change: "stop",
      why: "The plan has no such service any more.",
    }));
  return [...stops, ...(await Promise.all(plan.services.map((service) => changeOf(service, compared))))];
}

async function changeOf(planned: PlannedService, compared: ComparedPlan): Promise<PlannedChange> {
  const { running, wanted, launcher, plan } = compared;
  const keeper = running.get(planned.name);
  const answer = (change: PlannedChange["change"], why: string): PlannedChange => ({
    service: planned.name,
    change,
    why,
  });
  if (keeper === undefined || keeper.leavesForGood) return answer("start", "It is new in the plan.");
  const service = wanted(planned);
  if (compared.hasLost(service.devices))
    return answer("keep", `It stays as it is while ${service.devices.join(", ")} is lost.`);
  let prepared: Prepared;
  try {
    prepared = await launcher.prepare(service, plan);
  } catch (error) {
    return answer("keep", `It cannot be started as the plan says, so it stays as it is: ${messageOf(error)}`);
  }
  const { engine } = keeper;
  const { phase, failure } = keeper.state;
  if (phase === "stopping" && failure?.code === "gpu.lost")
    return answer("restart", `It lost its card. ${differences(keeper.service, service)}`);
  if (engine === undefined) return changeOfAbsent(keeper, service, answer);
  if (engine.prepared.digest === prepared.digest && engine.prepared.runtime === prepared.runtime)
    return answer("keep", "It runs as the plan says.");
  return answer("restart", differences(engine.service, service));
}

/** Nothing runs: what has changed counts from its next start. A failed one is worth a try when something has changed. */
function changeOfAbsent(
  keeper: ServiceKeeper,
  service: PlannedService,
  answer: (change: PlannedChange["change"], why: string) => PlannedChange,
): PlannedChange {
  const { phase, failure } = keeper.state;
  const same = JSON.stringify(keeper.service) === JSON.stringify(service);
  if (phase === "failed" && (!same || failure?.code === "gpu.lost"))
    return answer("start", `It had failed. ${differences(keeper.service, service)}`);
  return answer(
    "keep",
    same ? `It is ${phase}.` : `It is ${phase}; what has changed counts from its next start.`,
  );
}

/** What differs between two placements of a service, for a person. */
function differences(before: PlannedService, after: PlannedService): string {
  const changes = [
    said("engine", engineOf(before), engineOf(after)),
    said("model", before.model.name, after.model.name),
    said("model file", before.model.path, after.model.path),
    said("devices", before.devices.join(", "), after.devices.join(", ")),
    said("runtime", before.runtime ?? "process", after.runtime ?? "process"),
    said("context", before.contextTokens, after.contextTokens),
    said("parallel requests", before.parallel, after.parallel),
    said("queue", before.queueLimit, after.queueLimit),
    said("port", before.port ?? "any", after.port ?? "any"),
    said("arguments", before.extraArguments.join(" "), after.extraArguments.join(" ")),
  ].filter((change) => change !== undefined);
  return changes.length === 0 ? "How it is started has changed." : `Changed: ${changes.join("; ")}.`;
}

const engineOf = ({ engine }: PlannedService): string =>
  engine.version === "" ? engine.name : `${engine.name} ${engine.version}`;

const said = (what: string, before: string | number, after: string | number): string | undefined =>
  before === after
    ? undefined
    : `${what} ${before === "" ? "none" : before} → ${after === "" ? "none" : after}`;
