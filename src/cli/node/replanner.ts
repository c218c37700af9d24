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

/**
 * Plans the same spec again after something was lost. What is not concerned is held where it is, so that nothing else is
 * restarted; only when somebody would then have no place is everything looked at anew, and the plan that places more
 * services is taken.
 */
export function createReplanner(spec: Spec, current: () => Plan, planAgain: PlanAgain): Replanner {
  return {
    async replan(circumstances): Promise<Plan> {
      const known = {
        lostDevices: new Set(circumstances.lostDevices),
        failedEngines: failedBy(circumstances),
      };
      const before = current();
      const held = await planAgain(holding(spec, before, circumstances), known);
      if (before.services.every(({ name }) => held.services.some((service) => service.name === name)))
        return held;
      const anew = await planAgain(spec, known);
      return anew.services.length > held.services.length ? anew : held;
    },
  };
}

function failedBy({ failedEngines }: Circumstances): ReadonlyMap<string, ReadonlySet<string>> {
  const byService = Map.groupBy(failedEngines, ({ service }) => service);
  return new Map(
    [...byService].map(([name, failures]) => [name, new Set(failures.map(({ engine }) => engine))]),
  );
}

/** The spec with every service that the circumstances do not touch bound to what it has. */
function holding(spec: Spec, before: Plan, { lostDevices, failedEngines }: Circumstances): Spec {
  const concerned = (planned: PlannedService): boolean =>
    planned.devices.some((device) => lostDevices.includes(device)) ||
    failedEngines.some(({ service }) => service === (planned.replicaOf ?? planned.name));
  const services = Object.entries(spec.services).map(([name, settings]): [string, Service] => {
    const placed = before.services.filter((one) => (one.replicaOf ?? one.name) === name);
    const [first] = placed;
    // Replicas lie on cards of their own; one list of devices cannot say that.
    if (first === undefined || placed.length !== 1 || settings.replicas !== 1 || placed.some(concerned))
      return [name, settings];
    return [name, heldAt(settings, first)];
  });
  return { ...spec, services: Object.fromEntries(services) };
}

const heldAt = (
  settings: Service,
  { devices, engine, contextTokens, parallel }: PlannedService,
): Service => ({
  ...settings,
  engine: settings.engine.slice(Math.max(0, settings.engine.indexOf(engine.name))),
  devices: devices.every((device) => device === "cpu")
    ? devices.length === 0
      ? settings.devices
      : { kind: "cpu" }
    : { kind: "gpus", gpus: [...devices] },
  ...(contextTokens > 0 && settings.context === "auto" ? { context: contextTokens } : {}),
  ...(settings.parallel === "auto" ? { parallel } : {}),
});
