import { existsSync } from "node:fs";
import { OmniError } from "../../core/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import { deploymentOf } from "../make-deployment.ts";
import { makePlan } from "../make-plan.ts";
import { locateSpec } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { reportDiagnostics } from "../report.ts";
import type { Terminal } from "../terminal.ts";

/** A spec to check hosts against, with what follows from it where it can be planned. */
export interface DoctorSpec {
  readonly located: LocatedSpec;
  readonly deployment?: Deployment;
}

/**
 * The spec that was named, or omni.yaml of this folder; nothing where there is neither, because the demo asks nothing of
 * a host. Throws `OmniError` when the spec is wrong. What only keeps it from being planned is told, and the rest is looked at.
 */
export async function doctorSpec(
  file: string | undefined,
  terminal: Terminal,
): Promise<DoctorSpec | undefined> {
  if (file === undefined && !existsSync("omni.yaml")) return undefined;
  const located = await locateSpec(file, undefined);
  try {
    const plan = await makePlan(located, { online: false });
    return { located, deployment: deploymentOf(located, plan) };
  } catch (thrown) {
    if (!(thrown instanceof OmniError)) throw thrown;
    terminal.err(`${located.origin} cannot be planned, so services, models and ports are not looked at:`);
    reportDiagnostics(thrown.diagnostics.length > 0 ? thrown.diagnostics : [thrown.toDiagnostic()], terminal);
    return { located };
  }
}
