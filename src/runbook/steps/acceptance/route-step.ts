import { oneCompletion, taskOf } from "../../../acceptance/index.ts";
import type { AcceptanceClient, Completion } from "../../../acceptance/index.ts";
import { formatDuration } from "../../../core/index.ts";
import type { DeployedService, Deployment } from "../../../deployment/index.ts";
import type { PlannedRoute } from "../../../plan/plan.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step, StepContext } from "../../step.ts";
import { cardMemory } from "./card-memory.ts";
import { gatewaySpec, plainAt } from "./gateway-place.ts";
import { measuringStep } from "./measuring-step.ts";

const BEYOND = 10 * 60_000;

/** One real request on each route that the gateway has; its aliases are the same way. */
export function routeSteps(input: RunbookInput): readonly Step[] {
  const named = plainAt(gatewaySpec(input.deployment), "routes");
  const { routes, services } = input.plan;
  const spoken = routes.filter(({ name, rules }) => named[name] !== undefined && rules?.route === name);
  const ways: readonly PlannedRoute[] =
    spoken.length > 0 ? spoken : services.map(({ name }) => ({ name, services: [name] }));
  return ways.map((route) => routeStep(input, route));
}

function routeStep(input: RunbookInput, route: PlannedRoute): Step {
  const { deployment } = input;
  const behind = route.services.flatMap((name) => serviceNamed(deployment, name) ?? []);
  const load = Math.max(0, ...behind.map(({ loadTimeout }) => loadTimeout));
  const task = taskOf(behind.map(({ kind, planned }) => ({ kind, ...capabilitiesOf(planned) })));
  return measuringStep(input, {
    id: `route/${route.name}`,
    title: `One real answer on the route ${route.name}`,
    asked: `routes.${route.name}`,
    needs: ["health"],
    inputs: { route: route.name, services: behind.map(inputsOf) },
    timeout: load + BEYOND,
    preview: [`ask ${route.name} once and measure the answer; ${route.services.join(" → ")} may give it`],
    measure: async (client, context) => {
      const completion = await oneCompletion(client, { model: route.name, task }, context.signal);
      return evidenceOf({ input, route, client, context }, completion);
    },
  });
}

const capabilitiesOf = ({ capabilities }: DeployedService["planned"]): { capabilities?: string[] } =>
  capabilities === undefined ? {} : { capabilities: [...capabilities] };

/** What another start of the same engine has too. */
const inputsOf = ({ name, planned, engineVersion, image }: DeployedService): unknown => ({
  name,
  image,
  engineVersion,
  engine: planned.engine,
  model: planned.model,
  settings: planned.settings,
  devices: planned.devices,
  context: planned.contextTokens,
});

const serviceNamed = ({ services }: Deployment, name: string | undefined): DeployedService | undefined =>
  services.find((service) => service.name === name);

interface RouteAsked {
  readonly input: RunbookInput;
  readonly route: PlannedRoute;
  readonly client: AcceptanceClient;
  readonly context: StepContext;
}

async function evidenceOf(asked: RouteAsked, completion: Completion): Promise<readonly string[]> {
  const { input, route, client, context } = asked;
  const service = serviceNamed(input.deployment, completion.service ?? route.services[0]);
  const memory = service === undefined ? [] : await cardMemory(input.deployment, service, client, context);
  for (const line of memory.filter((one) => one.includes("OVER THE PLAN"))) context.note(line);
  return [answeredBy(asked, completion, service), speedText(completion), ...memory];
}

/** Who answered, and whether that is who should have. */
export function answeredBy(
  { input, route }: Pick<RouteAsked, "input" | "route">,
  { service: name }: Completion,
  service: DeployedService | undefined,
): string {
  if (service === undefined) return `answered by ${name ?? "an engine that gave no name"}`;
  const { engine, model } = service.planned;
  const version = engine.version === "unknown" ? "" : ` ${engine.version}`;
  const first = route.services[0] === service.name;
  const refused = input.plan.rejected.filter(
    (one) =>
      one.service === (service.replicaOf ?? service.name) &&
      one.alternative !== true &&
      one.engine !== engine.name,
  );
  const chain = refused.map((one) => `${one.engine} (${one.code})`).join(", ");
  return [
    `answered by ${service.name}: ${engine.name}${version} with ${model.name}`,
    first
      ? "the first of the route"
      : `NOT the first of the route, which is ${route.services[0] ?? "nobody"}`,
    chain === "" ? "the first engine of its chain" : `a fallback for ${chain}`,
  ].join(", ");
}

function speedText({ speed, ttft, took, completionTokens, finish }: Completion): string {
  return [
    ...(speed === undefined ? [] : [`${speed.toFixed(1)} tok/s`]),
    ...(ttft === undefined ? [] : [`TTFT ${formatDuration(ttft)}`]),
    `whole after ${formatDuration(took)}`,
    ...(completionTokens === undefined ? [] : [`${completionTokens} tokens`]),
    ...(finish === undefined ? [] : [`ended by ${finish}`]),
  ].join(", ");
}
