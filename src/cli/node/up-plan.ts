import { OmniError } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import { observeMachine } from "../../inventory/index.ts";
import type { GpuInventory } from "../../inventory/index.ts";
import type { Learned, Plan } from "../../plan/index.ts";
import { stateFolder } from "../state-folder.ts";
import { learnedFrom, measuredHere } from "./learned.ts";
import { readForPlan } from "../make-plan.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { cardIdentities } from "./card-identities.ts";
import type { CardIdentity } from "./card-identities.ts";
import { localMachine } from "./local-machine.ts";
import { NOTHING_LOST, planHere } from "./plan-here.ts";
import type { PlanGround, UpChoice } from "./plan-here.ts";
import type { PlanAgain } from "./replanner.ts";

/** What `up` decided, and how it decides again when something is lost. */
export interface UpPlan {
  readonly plan: Plan;
  readonly again: PlanAgain;
  /** What it stands on, for plans of other specs on this machine. */
  readonly ground: PlanGround;
  /** Cards of the plan by their names, as this machine's driver and kernel know them. */
  readonly cards: ReadonlyMap<string, CardIdentity>;
  /** What was taken beyond the prediction before, as the plan heeds it. */
  readonly learned: readonly Learned[];
}

/** Decides what runs here. Throws OmniError when nothing can. */
export async function decide(located: LocatedSpec, choice: UpChoice): Promise<UpPlan> {
  const { simulated } = choice;
  const readings = await readForPlan(located, { online: false, brief: onlyEmbedded(located) });
  const learned = simulated || !located.spec.policies.learn ? [] : learnedFrom(measuredHere(stateFolder()));
  const ground = { readings, choice, learned };
  const plan = planHere(located, ground, NOTHING_LOST);
  if (plan.services.length === 0) throw nothingRuns(plan, located);
  return {
    plan,
    cards: simulated
      ? (await import("./simulated-node.ts")).simulatedIdentities(plan)
      : cardIdentities(
          located.spec,
          await cardsHere(located, readings.observed.gpus),
          localMachine(located.spec, choice.machine),
        ),
    learned,
    ground,
    again: async (spec, circumstances) => planHere({ ...located, spec }, ground, circumstances),
  };
}

/** The cards of this machine: a spec that describes them is planned without a look, but its engines are bound to them. */
const cardsHere = async (
  located: LocatedSpec,
  seen: readonly GpuInventory[],
): Promise<readonly GpuInventory[]> =>
  seen.length > 0 || onlyEmbedded(located) ? seen : (await observeMachine()).gpus;

/** Cards are asked for only where an engine could use one. */
export const onlyEmbedded = ({ spec }: LocatedSpec): boolean =>
  Object.values(spec.services).every(({ engine }) =>
    engine.every((name) => (spec.engines[name]?.kind ?? name) === "embedded"),
  );

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
