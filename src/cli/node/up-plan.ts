import { CODES, OmniError } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import type { MachineInventory } from "../../inventory/index.ts";
import type { Plan, PlanInput } from "../../plan/index.ts";
import { stateFolder } from "../state-folder.ts";
import { learnedFrom, measuredHere } from "./learned.ts";
import { planFrom, readForPlan } from "../make-plan.ts";
import type { LocatedSpec } from "../node-spec.ts";
import type { PlanAgain } from "./replanner.ts";

/** What `up` decided, and how it decides again when something is lost. */
export interface UpPlan {
  readonly plan: Plan;
  readonly again: PlanAgain;
  readonly observed: MachineInventory;
}

export interface UpChoice {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Nothing real runs: what needs other machines or bounds on keys does not stop it. */
  readonly simulated: boolean;
}

type Forbid = NonNullable<PlanInput["forbid"]>;

/** Decides what runs. Throws OmniError when nothing can, or when the spec asks for bounds that could not be kept. */
export async function decide(located: LocatedSpec, choice: UpChoice): Promise<UpPlan> {
  const readings = await readForPlan(located, { online: false, brief: onlyEmbedded(located) });
  const learned = choice.simulated ? [] : learnedFrom(measuredHere(stateFolder()));
  const planWith = (spec: LocatedSpec["spec"], forbid: Forbid, lost: ReadonlySet<string>): Plan =>
    addressed(
      planFrom({ ...located, spec }, readings, { forbid, lostDevices: lost, learned }),
      located,
      choice,
    );
  const plan = planWith(located.spec, () => undefined, new Set());
  checkBounds(plan, choice);
  if (plan.services.length === 0) throw nothingRuns(plan, located);
  return {
    plan,
    observed: readings.observed,
    again: async (spec, { lostDevices, failedEngines }) =>
      planWith(
        spec,
        (_engine, _service, { service, engine }) =>
          failedEngines.get(service)?.has(engine) === true ? failedHere(engine) : undefined,
        lostDevices,
      ),
  };
}

/** Cards are asked for only where an engine could use one. */
const onlyEmbedded = ({ spec }: LocatedSpec): boolean =>
  Object.values(spec.services).every(({ engine }) =>
    engine.every((name) => (spec.engines[name]?.kind ?? name) === "embedded"),
  );

/** The plan at the address that the command line gives; a simulated node without keys stays on this machine. */
function addressed(plan: Plan, { spec }: LocatedSpec, { host, port, simulated }: UpChoice): Plan {
  const open = simulated && host === undefined && Object.keys(spec.keys).length === 0;
  return {
    ...plan,
    gateway: {
      host: host ?? (open ? "127.0.0.1" : plan.gateway.host),
      port: port ?? plan.gateway.port,
    },
  };
}

function checkBounds(plan: Plan, { simulated }: UpChoice): void {
  const unsafe = plan.diagnostics.filter((diagnostic) => diagnostic.code === "plan.not-enforced");
  if (unsafe.length > 0 && !simulated)
    throw new OmniError("plan.not-enforced", "The spec asks for bounds that could not be kept.", {
      diagnostics: unsafe,
    });
}

function nothingRuns(plan: Plan, { origin }: LocatedSpec): OmniError {
  const causes = plan.diagnostics.filter((diagnostic: Diagnostic) => diagnostic.severity === "error");
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
