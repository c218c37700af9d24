import { CODES, OmniError } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import { observeMachine } from "../../inventory/index.ts";
import type { GpuInventory } from "../../inventory/index.ts";
import type { Learned, Plan, PlanInput } from "../../plan/index.ts";
import { stateFolder } from "../state-folder.ts";
import { learnedFrom, measuredHere } from "./learned.ts";
import { planFrom, readForPlan } from "../make-plan.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { cardIdentities } from "./card-identities.ts";
import type { CardIdentity } from "./card-identities.ts";
import { localMachine, onlyHere } from "./local-machine.ts";
import type { PlanAgain } from "./replanner.ts";

/** What `up` decided, and how it decides again when something is lost. */
export interface UpPlan {
  readonly plan: Plan;
  readonly again: PlanAgain;
  /** Cards of the plan by their names, as this machine's driver and kernel know them. */
  readonly cards: ReadonlyMap<string, CardIdentity>;
  /** What was taken beyond the prediction before, as the plan heeds it. */
  readonly learned: readonly Learned[];
}

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

type Forbid = NonNullable<PlanInput["forbid"]>;

/** Decides what runs here. Throws OmniError when nothing can. */
export async function decide(located: LocatedSpec, choice: UpChoice): Promise<UpPlan> {
  const { simulated } = choice;
  // A simulated node is the whole spec on this machine.
  const here = simulated ? undefined : localMachine(located.spec, choice.machine);
  const readings = await readForPlan(located, { online: false, brief: onlyEmbedded(located) });
  const learned = simulated || !located.spec.policies.learn ? [] : learnedFrom(measuredHere(stateFolder()));
  const planWith = (spec: LocatedSpec["spec"], forbid: Forbid, lost: ReadonlySet<string>): Plan => {
    const whole = planFrom({ ...located, spec }, readings, { forbid, lostDevices: lost, learned });
    return addressed(onlyHere(whole, located.spec, here), choice);
  };
  const plan = planWith(located.spec, () => undefined, new Set());
  if (plan.services.length === 0) throw nothingRuns(plan, located);
  return {
    plan,
    cards: simulated
      ? (await import("./simulated-node.ts")).simulatedIdentities(plan)
      : cardIdentities(located.spec, await cardsHere(located, readings.observed.gpus), here),
    learned,
    again: async (spec, { lostDevices, failedEngines }) =>
      planWith(
        spec,
        (_engine, _service, { service, engine }) =>
          failedEngines.get(service)?.has(engine) === true ? failedHere(engine) : undefined,
        lostDevices,
      ),
  };
}

/** The cards of this machine: a spec that describes them is planned without a look, but its engines are bound to them. */
const cardsHere = async (
  located: LocatedSpec,
  seen: readonly GpuInventory[],
): Promise<readonly GpuInventory[]> =>
  seen.length > 0 || onlyEmbedded(located) ? seen : (await observeMachine()).gpus;

/** Cards are asked for only where an engine could use one. */
const onlyEmbedded = ({ spec }: LocatedSpec): boolean =>
  Object.values(spec.services).every(({ engine }) =>
    engine.every((name) => (spec.engines[name]?.kind ?? name) === "embedded"),
  );

/** The plan at the address that the command line gives; a simulated node that asks for no key stays on this machine. */
const addressed = (plan: Plan, { host, port, simulated, hasKeys }: UpChoice): Plan => ({
  ...plan,
  gateway: {
    host: host ?? (simulated && !hasKeys ? "127.0.0.1" : plan.gateway.host),
    port: port ?? plan.gateway.port,
  },
});

function nothingRuns(plan: Plan, { origin }: LocatedSpec): OmniError {
  const causes = plan.diagnostics.filter(
    ({ severity, code }: Diagnostic) => severity === "error" || code === "node.other-machine",
  );
  return new OmniError(
    causes[0]?.code ?? "node.nothing-to-run",
    `Nothing of ${origin} can run on this machine.`,
    { diagnostics: causes },
  );
}

const failedHere = (engine: string): ReturnType<Forbid> => ({
  code: "engine.gave-up",
  reason: `${engine} failed again and again since the node was started`,
  hint: CODES["engine.gave-up"].remedy,
});
