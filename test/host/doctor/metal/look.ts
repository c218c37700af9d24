import type { Deployment } from "../../../../src/deployment/index.ts";
import type { DoctorSubject, Finding } from "../../../../src/host/doctor/check.ts";
import { driverAnswers } from "../../../../src/host/doctor/driver/answers.ts";
import { METAL_CHECKS } from "../../../../src/host/doctor/metal-checks.ts";
import { loadSpec } from "../../../../src/spec/index.ts";
import type { Spec } from "../../../../src/spec/index.ts";
import { viewOf } from "../../../fakes/hosts/host-tree.ts";
import type { HostTree } from "../../../fakes/hosts/host-tree.ts";
import { deploymentOf } from "../../../render/deployments.ts";

interface Wanted {
  readonly spec: Spec;
  readonly deployment: Deployment;
}

const known = new Map<string, Promise<Wanted>>();

/** A spec and what follows from it; planned once a text. */
function wantedBy(text: string): Promise<Wanted> {
  const planned = known.get(text) ?? plan(text);
  known.set(text, planned);
  return planned;
}

async function plan(text: string): Promise<Wanted> {
  const { spec, diagnostics } = loadSpec(text, "omni.yaml");
  if (spec === undefined) throw new Error(JSON.stringify(diagnostics, null, 2));
  return { spec, deployment: await deploymentOf(text) };
}

const SILENT_NETWORK: DoctorSubject["network"] = {
  ask: () => Promise.resolve({ answered: false, message: "there is no network" }),
  resolve: () => Promise.resolve("there is no network"),
  listens: () => Promise.resolve(false),
};

/** All that the checks of the metal find on a host, in their order, and last whether the driver answers. */
export async function lookAt(
  tree: HostTree,
  text?: string,
  { selfTest = false }: { readonly selfTest?: boolean } = {},
): Promise<readonly Finding[]> {
  using view = await viewOf(tree);
  const wanted = text === undefined ? undefined : await wantedBy(text);
  const host = wanted?.deployment.hosts[0];
  const subject: DoctorSubject = {
    view,
    network: SILENT_NETWORK,
    now: view.now,
    selfTest,
    ...wanted,
    ...(host === undefined ? {} : { host }),
  };
  const findings: Finding[] = [];
  for (const check of [...METAL_CHECKS, driverAnswers]) findings.push(...(await check.look(subject)));
  return findings;
}

/** What is not ok, as `check | subject | state`. */
export const faultsIn = (findings: readonly Finding[]): readonly string[] =>
  findings
    .filter(({ state }) => state !== "ok")
    .map(({ check, subject, state }) =>
      [check, subject, state].filter((part) => part !== undefined).join(" | "),
    );
