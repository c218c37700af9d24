import { CODES } from "../../core/index.ts";
import type { Learned, Plan, PlanInput } from "../../plan/index.ts";
import { planFrom } from "../make-plan.ts";
import type { PlanReadings } from "../make-plan.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { localMachine, onlyHere } from "./local-machine.ts";
import type { PlanAgain } from "./replanner.ts";

/** How a node was started, as far as its plan depends on it. */
export interface UpChoice {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Which machine of the spec this is. */
  readonly machine?: string | undefined;
  /** A key is asked for; without one, a simulated node stays on this machine. */
  readonly hasKeys: boolean;
  /** Nothing real runs: what needs other machines or bounds on keys does not stop it. */
  readonly simulated: boolean;
}

/** What was lost since the node runs. */
export type Circumstances = Parameters<PlanAgain>[1];

export const NOTHING_LOST: Circumstances = { lostDevices: new Set(), failedEngines: new Map() };

/** What a plan of this machine stands on beside the spec. */
export interface PlanGround {
  readonly readings: PlanReadings;
  readonly choice: UpChoice;
  /** What was taken beyond the prediction before. */
  readonly learned: readonly Learned[];
}

/** The plan of a spec for this machine, at the address of its command line. Throws OmniError `cli.bad-argument`. */
export function planHere(
  located: LocatedSpec,
  { readings, choice, learned }: PlanGround,
  { lostDevices, failedEngines }: Circumstances,
): Plan {
  // A simulated node is the whole spec on this machine.
  const here = choice.simulated ? undefined : localMachine(located.spec, choice.machine);
  const forbid: Forbid = (_engine, _service, { service, engine }) =>
    failedEngines.get(service)?.has(engine) === true ? failedHere(engine) : undefined;
  const whole = planFrom(located, readings, { forbid, lostDevices, learned });
  const plan = addressed(onlyHere(whole, located.spec, here), choice);
  return choice.simulated ? onThisMachine(plan) : plan;
}

type Forbid = NonNullable<PlanInput["forbid"]>;

const failedHere = (engine: string): ReturnType<Forbid> => ({
  code: "engine.gave-up",
  reason: `${engine} failed again and again since the node was started`,
  hint: CODES["engine.gave-up"].remedy,
});

/** The plan at the address that the command line gives; a simulated node that asks for no key stays on this machine. */
const addressed = (plan: Plan, { host, port, simulated, hasKeys }: UpChoice): Plan => ({
  ...plan,
  gateway: {
    host: host ?? (simulated && !hasKeys ? "127.0.0.1" : plan.gateway.host),
    port: port ?? plan.gateway.port,
  },
});

/** A simulated node's engines are processes here, whatever they were planned to run on. */
const onThisMachine = (plan: Plan): Plan => ({
  ...plan,
  services: plan.services.map((service) => ({ ...service, runtime: "process" as const })),
});
