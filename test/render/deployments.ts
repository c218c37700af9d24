import { resolve } from "node:path";
import { makePlan } from "../../src/cli/make-plan.ts";
import { locateSpec, readLocated } from "../../src/cli/node-spec.ts";
import type { LocatedSpec } from "../../src/cli/node-spec.ts";
import { GIB } from "../../src/core/index.ts";
import { deploy } from "../../src/deployment/index.ts";
import type { Deployment } from "../../src/deployment/index.ts";
import type { MachineInventory } from "../../src/inventory/machine.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../examples");

/** The four reference systems as their owners wrote them, and corrected. */
export const REFERENCE_SYSTEMS = [
  "omni-prime",
  "omni-prime.fixed",
  "leviathan",
  "leviathan.fixed",
  "ai-factory",
  "ai-factory.fixed",
  "concrete-bunker",
  "concrete-bunker.fixed",
] as const;

/** A machine that is the same everywhere: what a spec leaves to detection must not depend on where tests run. */
export const PLAIN_MACHINE: MachineInventory = {
  hostname: "plain",
  cpu: { cores: 8, threads: 16, features: [], caches: {} },
  numa: [],
  memory: { total: 64 * GIB, available: 60 * GIB },
  gpus: [],
  disks: [],
  docker: false,
  notes: [],
};

/** The deployment of `examples/NAME.yaml`, planned as `omni render` plans it. */
export async function referenceDeployment(name: string): Promise<Deployment> {
  return deployed(await locateSpec(resolve(EXAMPLES, `${name}.yaml`), undefined));
}

/** The deployment of a spec given as text. Throws with its findings when the spec is wrong. */
export async function deploymentOf(text: string): Promise<Deployment> {
  const { located, diagnostics } = readLocated(text, "omni.yaml", EXAMPLES);
  if (located === undefined) throw new Error(JSON.stringify(diagnostics, null, 2));
  return deployed(located);
}

async function deployed(located: LocatedSpec): Promise<Deployment> {
  const plan = await makePlan(located, { online: false, observed: PLAIN_MACHINE });
  return deploy({ spec: located.spec, plan, typed: located.typed, omniVersion: "1.2.3" });
}
