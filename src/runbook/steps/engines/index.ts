/**
 * Steps of the engines: images that are built and pushed, images that are pulled or that a cluster will pull, and programs
 * of plain hosts. Never here: how an image is built (images), and the services that run it.
 */
import type { DeployedService, Deployment, ImageBuild } from "../../../deployment/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { builtEngineStep } from "./built-engine.ts";
import { clusterImageStep } from "./cluster-image.ts";
import { engineProgramStep } from "./engine-program.ts";
import { isBuiltAt } from "./machine-of.ts";
import { pulledImageStep } from "./pulled-image.ts";

/** The steps of all engines that a service of the plan uses. */
export function engineSteps(input: RunbookInput): readonly Step[] {
  const { deployment } = input;
  const services = deployment.services.filter(({ refused }) => refused === undefined);
  const contained = services.filter(({ runtime }) => runtime !== "process");
  const used = deployment.images.flatMap((build) => {
    const users = contained.filter((service) => uses(service, build));
    const isOwn = build.kind === "omni" && contained.length > 0;
    return users.length > 0 || isOwn ? [builtEngineStep(input, build, users)] : [];
  });
  return [...used, ...imageSteps(input, contained), ...programSteps(input, services)];
}

const uses = ({ image, planned }: DeployedService, { name, tag }: ImageBuild): boolean =>
  image === tag || (image === undefined && planned.engine.name === name);

/** Id of the step that brings an image to where a service runs. */
export const imageStepId = ({ image = "", runtime, machine }: DeployedService): string =>
  `image/${image}${runtime === "docker" && machine !== undefined ? `@${machine}` : ""}`;

function imageSteps(input: RunbookInput, services: readonly DeployedService[]): readonly Step[] {
  const byId = Map.groupBy(
    services.filter((service) => isFetched(input.deployment, service)),
    imageStepId,
  );
  return [...byId].flatMap(([id, users]) => {
    const [user] = users;
    if (user?.image === undefined) return [];
    const { image, machine, runtime } = user;
    const build = input.deployment.images.find(({ tag }) => tag === image);
    const pulled = { image, machine, users, needs: build === undefined ? [] : [`engine/${build.name}`] };
    return [runtime === "docker" ? pulledImageStep(input, id, pulled) : clusterImageStep(input, id, pulled)];
  });
}

/** Nobody pulls what was built where it runs; what was built for a cluster is proven in the registry by its own step. */
function isFetched(deployment: Deployment, { image, runtime, machine }: DeployedService): boolean {
  const build = deployment.images.find(({ tag }) => tag === image);
  if (image === undefined) return false;
  if (build === undefined) return true;
  return runtime === "docker" && build.push !== undefined && !isBuiltAt(deployment, build, machine);
}

function programSteps(input: RunbookInput, services: readonly DeployedService[]): readonly Step[] {
  const programs = Map.groupBy(
    services.filter(({ runtime }) => runtime === "process"),
    ({ planned, machine, start }) => `${planned.engine.name}\n${machine ?? ""}\n${start.command[0]}`,
  );
  const taken = new Map<string, number>();
  return [...programs.values()].flatMap((users) => {
    const [user] = users;
    if (user === undefined) return [];
    const { name } = user.planned.engine;
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    const id = count === 1 ? `engine/${name}` : `engine/${name}-${count}`;
    return engineProgramStep(input, id, user, users) ?? [];
  });
}
