import { OmniError } from "../../../core/index.ts";
import { placesOf } from "../../../render/compose/place.ts";
import type { ComposePlace } from "../../../render/compose/place.ts";
import { sha256 } from "../../../render/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { awaitServing, containerOf, isServing } from "./compose-container.ts";
import { configHash, differing, openProject, placeProject, upService } from "./compose-project.ts";
import { serviceNeeds } from "./service-needs.ts";

/** Milliseconds that creating a container may take beside loading. */
const CREATING = 600_000;
const GATEWAY_LOADS = 120_000;

/** The services of a deployment that are containers of a compose project, and its gateway where that is one. */
export function composeSteps(input: RunbookInput): readonly Step[] {
  const { deployment } = input;
  return placesOf(deployment).flatMap((place) => {
    const started = place.services.filter(({ refused }) => refused === undefined);
    const engines = started.map((service) =>
      containerStep(input, place, {
        id: `service/${service.name}`,
        service: service.name,
        asked: `services.${service.replicaOf ?? service.name}`,
        needs: serviceNeeds(service, deployment),
        loads: service.loadTimeout,
      }),
    );
    const gateway = containerStep(input, place, {
      id: "gateway",
      service: place.gatewayName,
      asked: "gateway",
      needs: ["engine/omni", ...deployment.services.map(({ name }) => `service/${name}`)],
      loads: GATEWAY_LOADS,
    });
    return place.withGateway ? [...engines, gateway] : engines;
  });
}

interface Contained {
  readonly id: string;
  /** Name in the compose file. */
  readonly service: string;
  readonly asked: string;
  readonly needs: readonly string[];
  /** Longest time until it serves, milliseconds. */
  readonly loads: number;
}

function containerStep(input: RunbookInput, place: ComposePlace, contained: Contained): Step {
  const { service, loads } = contained;
  const file = input.rendered.files.find(({ path }) => path === `${place.folder}/compose.yaml`);
  return {
    id: contained.id,
    phase: "services",
    title: `${service} as a container${place.machine === undefined ? "" : ` on ${place.machine}`}`,
    asked: contained.asked,
    needs: contained.needs,
    inputs: { service, compose: sha256(file?.content ?? "") },
    timeout: loads + CREATING,
    verify: (context) => observe(input, place, service, context),
    apply: (context) => start(input, place, contained, context),
    preview: [
      `files of ${place.folder}/ placed on ${place.machine ?? "this machine"}`,
      `docker compose -p ${input.deployment.docker.project} up --detach --no-deps ${service}`,
    ],
  };
}

async function observe(
  input: RunbookInput,
  place: ComposePlace,
  service: string,
  context: StepContext,
): Promise<Observation> {
  const project = await openProject(input, place, context);
  const changed = await differing(project);
  if (changed.length > 0)
    return { done: false, missing: `not as rendered on ${project.host.name}: ${changed.join(", ")}` };
  const container = await containerOf(project, input.deployment.docker.project, service);
  if (container === undefined) return { done: false, missing: `${service} has no container` };
  const { name, id, image, hash, status, health } = container;
  if (hash !== (await configHash(project, service)))
    return { done: false, missing: `${name} was made from another compose file` };
  const state = `${status}${health === undefined ? "" : `, ${health}`}`;
  if (!isServing(container)) return { done: false, missing: `${name} is ${state}` };
  return {
    done: true,
    evidence: [`${name} (${id.slice(0, 12)}) is ${state}`, `image ${image}`, `configuration ${hash}`],
  };
}

async function start(
  input: RunbookInput,
  place: ComposePlace,
  { service, loads }: Contained,
  context: StepContext,
): Promise<void> {
  const names = { project: input.deployment.docker.project, service };
  const project = await openProject(input, place, context);
  const before = await containerOf(project, names.project, service);
  await placeProject(project);
  const hash = await configHash(project, service);
  if (before !== undefined && before.hash !== hash)
    context.note(
      `replaces ${before.name} (${before.id.slice(0, 12)}, image ${before.image}, ${before.status})`,
    );
  await upService(project, service);
  const after = await containerOf(project, names.project, service);
  if (after !== undefined && after.hash !== hash)
    throw new OmniError(
      "service.unhealthy",
      `${after.name} was not replaced by Compose: it is of another file.`,
    );
  await awaitServing(project, names, loads);
}
