/** What steps are made from, of a spec given as text. */
import { makePlan } from "../../src/cli/make-plan.ts";
import { VERSION } from "../../src/cli/version.ts";
import { deploy } from "../../src/deployment/index.ts";
import { renderNode } from "../../src/render/index.ts";
import { OmniError } from "../../src/core/index.ts";
import { DEFAULTS } from "../../src/spec/default-values.ts";
import { readLocated } from "../../src/cli/node-spec.ts";
import type { RunbookInput } from "../../src/runbook/runbook.ts";
import { PLAIN_MACHINE } from "../render/deployments.ts";

export interface InputOptions {
  readonly workFolder: string;
  readonly folder?: string;
  /** Values of secrets by variable. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** The input of a runbook, planned and rendered as `omni apply` does. Throws with its findings when the spec is wrong. */
export async function runbookInput(text: string, options: InputOptions): Promise<RunbookInput> {
  const { workFolder, folder = workFolder, secrets = {} } = options;
  const { located, diagnostics } = readLocated(text, "omni.yaml", folder);
  if (located === undefined) throw new Error(JSON.stringify(diagnostics, null, 2));
  const { spec, typed } = located;
  const plan = await makePlan(located, { online: false, observed: PLAIN_MACHINE });
  const deployment = deploy({ spec, plan, typed, omniVersion: VERSION });
  return {
    deployment,
    plan,
    rendered: renderNode(deployment),
    folder,
    workFolder,
    acceptance: spec.runbook.acceptance ?? DEFAULTS.runbook.acceptance,
    secret: ({ env = "" }) => {
      const value = secrets[env];
      return value === undefined
        ? Promise.reject(new OmniError("key.unset", `${env} is not set.`))
        : Promise.resolve(value);
    },
  };
}
