import type { Deployment, ImageBuild } from "../../../deployment/index.ts";

/** What a step asks its context for to reach a machine: its name where the spec says how, else this machine. */
export const machineOf = ({ hosts }: Deployment, machine: string | undefined): string | undefined =>
  hosts.find(({ name }) => name === machine)?.ssh === undefined ? undefined : machine;

/** Machine of the spec that a build's host is. */
const builderMachine = ({ hosts }: Deployment, { host }: ImageBuild): string | undefined =>
  host === undefined ? undefined : hosts.find(({ ssh }) => ssh === host)?.name;

/** Steps that prepare the machine that builds. */
export function needsOfBuilder(deployment: Deployment, build: ImageBuild): readonly string[] {
  const machine = builderMachine(deployment, build);
  return machine === undefined ? [] : [`host/${machine}`];
}

/** Whether what is built lies where a service runs, without a registry between. */
export const isBuiltAt = (deployment: Deployment, build: ImageBuild, machine: string | undefined): boolean =>
  build.builder === "docker" && builderMachine(deployment, build) === machineOf(deployment, machine);
