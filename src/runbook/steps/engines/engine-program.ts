import { OmniError } from "../../../core/index.ts";
import type { DeployedService } from "../../../deployment/index.ts";
import { findEngineDriver } from "../../../engines/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { machineOf } from "./machine-of.ts";
import { withoutEngine } from "./without-engine.ts";

/** Engines over PyTorch import for many seconds before they say anything; milliseconds. */
const PATIENCE = 120_000;

/** `engine/NAME` on a plain host: the program that its services start is installed and tells its version. */
export function engineProgramStep(
  { deployment }: RunbookInput,
  id: string,
  service: DeployedService,
  users: readonly DeployedService[],
): Step | undefined {
  const program = findEngineDriver(service.kind)?.program;
  const [name] = service.start.command;
  if (program === undefined || name === process.execPath) return undefined;
  const { machine, planned } = service;
  const argv = [name, ...program.versionArguments] as const;
  const look = async (context: StepContext): Promise<Observation> => {
    const host = await context.host(machineOf(deployment, machine));
    const result = await context.look(host, { argv, timeout: PATIENCE });
    const said = `${result.stdout}\n${result.stderr}`.trim();
    if (!result.ended) return { done: false, missing: `${name} on ${host.name}: ${result.message}` };
    if (result.code !== 0)
      return { done: false, missing: `${argv.join(" ")} on ${host.name} ends with ${result.code}: ${said}` };
    const version = program.readVersion(said) ?? said.split("\n")[0] ?? "";
    return { done: true, evidence: [`${name} on ${host.name}: ${version}`] };
  };
  return {
    id,
    phase: "engines",
    title: `${name} installed${machine === undefined ? "" : ` on ${machine}`}`,
    asked: `engines.${planned.engine.name}`,
    needs: machine === undefined ? [] : [`host/${machine}`],
    inputs: { argv, machine },
    timeout: 3 * PATIENCE,
    verify: look,
    apply: async (context) => {
      const seen = await look(context);
      if (seen.done) return;
      throw new OmniError("engine.no-binary", `${seen.missing}.`, {
        hint: `Install it there, or name another engine for services.${service.name}.`,
      });
    },
    preview: [argv.join(" ")],
    ...withoutEngine(planned.engine.name, users),
  };
}
