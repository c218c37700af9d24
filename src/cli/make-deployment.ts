import { readFile } from "node:fs/promises";
import type { Diagnostic } from "../core/index.ts";
import { deploy } from "../deployment/index.ts";
import type { Deployment } from "../deployment/index.ts";
import type { Plan } from "../plan/index.ts";
import { withPlace } from "./make-plan.ts";
import { resolveFrom } from "./node-spec.ts";
import type { LocatedSpec } from "./node-spec.ts";
import { VERSION } from "./version.ts";

/**
 * The deployment of a plan of this spec. Without `workflows` nobody asked for those files, and none is missed.
 * Throws `OmniError` as `deploy` does.
 */
export const deploymentOf = (
  { spec, typed }: LocatedSpec,
  plan: Plan,
  workflows?: ReadonlyMap<string, string>,
): Deployment =>
  deploy({ spec, plan, typed, omniVersion: VERSION, ...(workflows === undefined ? {} : { workflows }) });

/** What deployment and rendering have to say, with its line in the spec. */
export const placedFindings = (
  located: LocatedSpec,
  ...sources: readonly (readonly Diagnostic[])[]
): readonly Diagnostic[] =>
  sources
    .flat()
    .map((diagnostic) => (diagnostic.line === undefined ? withPlace(diagnostic, located) : diagnostic));

/** Workflow templates that can be read here, by the path that the spec names; what cannot is a finding of the deployment. */
export async function workflowTexts({ spec, folder }: LocatedSpec): Promise<ReadonlyMap<string, string>> {
  const paths = new Set(
    Object.values(spec.services).flatMap(({ workflows = {} }) => Object.values(workflows)),
  );
  const texts = new Map<string, string>();
  for (const path of paths) {
    const text = await readFile(resolveFrom(folder, path), "utf8").catch(() => undefined);
    if (text !== undefined) texts.set(path, text);
  }
  return texts;
}
