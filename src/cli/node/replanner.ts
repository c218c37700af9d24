import type { PlannedService } from "../../plan/plan.ts";
import type { Plan } from "../../plan/index.ts";
import type { Service, Spec } from "../../spec/index.ts";
import type { Circumstances, Replanner } from "../../supervisor/launcher.ts";

export type PlanAgain = (
  spec: Spec,
  circumstances: {
    readonly lostDevices: ReadonlySet<string>;
    readonly failedEngines: ReadonlyMap<string, ReadonlySet<string>>;
  },
) => Promise<Plan>;

export interface ReplannerInput {
  readonly spec: () => Spec;
  /** The plan that the owner's spec gave when nothing was lost. */
  readonly base: () => Plan;
  /** The plan that the node runs by. */
  readonly current: () => Plan;
  readonly planAgain: PlanAgain;
}

/**
 * Plans the same spec again after something was lost or is back. What is not concerned is held where it is, so that nothing
 * else is restarted; what can be again as its owner's plan had it goes back there when something is back. Only when
 * somebody would then have no place is everything looked at anew, and the plan that places more services is taken.
 */
export function createReplanner(input: ReplannerInput): Replanner {
  const { current, planAgain } = input;
  let last: Circumstances = { lostDevices: [], failedEngines: [] };
  return {
    async replan(circumstances): Promise<Plan> {
      const known = {
        lostDevices: new Set(circumstances.lostDevices),
        failedEngines: failedBy(circumstances),
      };
      const before = current();
      const spec = input.spec();
      const base = input.base();
      const preferred = isLessLost(circumstances, last) ? [base, before] : [before];
      last = circumstances;
      const held = await planAgain(holding(spec, preferred, circumstances), known);
      if (base.services.every(({ name }) => held.services.some((service) => service.name === name)))
        return held;
      const anew = await planAgain(spec, known);
      return anew.services.length > held.services.length ? anew : held;
    },
  };
}

/** Whether something that was lost or had failed is not any more. */
const isLessLost = (now: Circumstances, before: Circumstances): boolean =>
  before.lostDevices.some((device) => !now.lostDevices.includes(device)) ||
  before.failedEngines.some(
    (failed) =>
      !now.failedEngines.some(
        ({ service, engine }) => service === failed.service && engine === failed.engine,
      ),
  );

function failedBy({ failedEngines }: Circumstances): ReadonlyMap<string, ReadonlySet<string>> {
  const byService = Map.groupBy(failedEngines, ({ service }) => service);
  return new Map(
    [...byService].map(([name, failures]) => [name, new Set(failures.map(({ engine }) => engine))]),
  );
}

/** The spec with every service bound to the first of the plans in which the circumstances do not touch it. */
function holding(spec: Spec, plans: readonly Plan[], { lostDevices, failedEngines }: Circumstances): Spec {
  const touched = ({ name, replicaOf, devices, engine }: PlannedService): boolean =>
    devices.some((device) => lostDevices.includes(device)) ||
    failedEngines.some((one) => one.service === (replicaOf ?? name) && one.engine === engine.name);
  const services = Object.entries(spec.services).map(([name, settings]): [string, Service] => {
    // Replicas lie on cards of their own; one list of devices cannot say that.
    if (settings.replicas !== 1) return [name, settings];
    const placed = plans
      .map((plan) => plan.services.find((service) => service.name === name))
      .find((service) => service !== undefined && !touched(service));
    return [name, placed === undefined ? settings : heldAt(settings, placed, spec)];
  });
  return { ...spec, services: Object.fromEntries(services) };
}

const heldAt = (
  settings: Service,
  { devices, machine, engine, contextTokens, parallel }: PlannedService,
  { machines }: Spec,
): Service => ({
  ...settings,
  engine: settings.engine.slice(Math.max(0, settings.engine.indexOf(engine.name))),
  ...(machine === undefined || !Object.hasOwn(machines, machine) ? {} : { machine }),
  devices: devicesOf(devices) ?? settings.devices,
  ...(contextTokens > 0 && settings.context === "auto" ? { context: contextTokens } : {}),
  ...(settings.parallel === "auto" ? { parallel } : {}),
});

/** Devices of a plan as a spec names them; `undefined` for an engine elsewhere, which has none. */
function devicesOf(devices: readonly string[]): Service["devices"] | undefined {
  if (devices.length === 0) return undefined;
  const gpus = devices.filter((device) => device !== "cpu");
  return gpus.length === 0 ? { kind: "cpu" } : { kind: "gpus", gpus };
}
