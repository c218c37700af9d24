import { OmniError } from "../../core/index.ts";
import { transportPool } from "../../host/transport/index.ts";
import { renderNode } from "../../render/index.ts";
import type { Exclusions, Runbook, RunbookInput } from "../../runbook/index.ts";
import { engineSteps } from "../../runbook/steps/engines/index.ts";
import { acceptanceSteps } from "../../runbook/steps/acceptance/index.ts";
import { guestSteps } from "../../runbook/steps/guest/index.ts";
import { metalSteps } from "../../runbook/steps/metal/index.ts";
import { serviceSteps } from "../../runbook/steps/services/index.ts";
import { storageSteps } from "../../runbook/steps/storage/index.ts";
import { kubernetesSteps } from "../../runbook/steps/kubernetes/index.ts";
import { modelSteps } from "../../runbook/steps/models/index.ts";
import { DEFAULTS } from "../../spec/default-values.ts";
import { deploymentOf, placedFindings, workflowTexts } from "../make-deployment.ts";
import { planFrom, readForPlan } from "../make-plan.ts";
import type { PlanReadings } from "../make-plan.ts";
import { readSecretOf, resolveFrom } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";
import type { ApplyPlace, RunbookSource } from "./runbook-source.ts";

/** The phases' steps in their order; which of them come first follows from their needs alone. */
const STEPS: readonly ((input: RunbookInput) => Runbook["steps"])[] = [
  metalSteps,
  guestSteps,
  storageSteps,
  modelSteps,
  engineSteps,
  serviceSteps,
  kubernetesSteps,
  acceptanceSteps,
];

/**
 * The runbook of a spec, with the ways to its machines. Models and machine are read once, however often it is planned again.
 * Findings that stop a rendering stop an apply: errors of spec, plan and advice. Throws `OmniError` as planning does.
 */
export async function makeRunbookSource(located: LocatedSpec, place: ApplyPlace): Promise<RunbookSource> {
  const { spec, folder } = located;
  const readings = await readForPlan(located, { online: false, brief: false });
  const workflows = await workflowTexts(located);
  const inputWithout = (exclusions: Exclusions): RunbookInput =>
    inputOf({ located, place, readings, workflows }, exclusions);
  const pool = transportPool();
  const first = inputWithout(new Map());
  return {
    make: (exclusions) => Promise.resolve(runbookOf(spec.name, inputWithout(exclusions), exclusions)),
    order: spec.runbook.order ?? [],
    ...(spec.runbook.report === undefined ? {} : { report: resolveFrom(folder, spec.runbook.report) }),
    diagnostics: placedFindings(located, first.deployment.findings, first.rendered.diagnostics),
    host: (name) => Promise.resolve(pool.to(destinationOf(located, name))),
    close: async () => pool[Symbol.asyncDispose](),
  };
}

function runbookOf(name: string, input: RunbookInput, exclusions: Exclusions): Runbook {
  const steps = STEPS.flatMap((of) => of(input));
  const twice = steps.find(({ id }, index) => steps.findIndex((step) => step.id === id) !== index);
  if (twice !== undefined) throw new OmniError("cli.internal", `Two steps are called ${twice.id}.`);
  return { name, steps, exclusions };
}

interface Read {
  readonly located: LocatedSpec;
  readonly place: ApplyPlace;
  readonly readings: PlanReadings;
  readonly workflows: ReadonlyMap<string, string>;
}

/** What the steps are made from, planned and rendered without these engines. */
function inputOf({ located, place, readings, workflows }: Read, exclusions: Exclusions): RunbookInput {
  const { spec, folder } = located;
  const plan = planFrom(located, readings, {
    forbid: (_engine, _service, { engine }) => {
      const reason = exclusions.get(engine);
      return reason === undefined ? undefined : { code: "runbook.step-failed", reason, hint: RETRY };
    },
  });
  const deployment = deploymentOf(located, plan, workflows);
  return {
    deployment,
    plan,
    rendered: renderNode(deployment),
    folder,
    workFolder: place.workFolder,
    acceptance: spec.runbook.acceptance ?? DEFAULTS.runbook.acceptance,
    secret: async (reference) => {
      const value = await readSecretOf(reference, folder);
      if (value !== undefined) {
        place.hide(value);
        return value;
      }
      const from = reference.env === undefined ? `the file ${reference.file ?? ""}` : reference.env;
      throw new OmniError("key.unset", `A step needs ${from}, which is not set or empty.`, {
        hint: reference.env === undefined ? `Write it into ${from}.` : `export ${from}=…`,
      });
    },
  };
}

const RETRY = "Mend what it failed at, then: ./omni apply --retry-fallbacks";

/** Where a name of a machine, of `runbook.hosts` or a destination leads; `undefined` is this machine. */
function destinationOf({ spec }: LocatedSpec, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  if (Object.hasOwn(spec.machines, name)) return spec.machines[name]?.ssh;
  return spec.runbook.hosts?.[name] ?? name;
}
