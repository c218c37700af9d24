import { join } from "node:path";
import type { DeployedService, Deployment, Environment } from "../../deployment/index.ts";
import { findEngineDriver, findEngineStarter } from "../../engines/index.ts";
import type { EnginePlace } from "../../engines/start.ts";
import type { LaunchSpec } from "../../engines/engine.ts";
import { OmniError } from "../../core/index.ts";
import type { Plan, PlannedService } from "../../plan/plan.ts";
import type { Prepared } from "../../supervisor/launcher.ts";
import { deploymentOf } from "../make-deployment.ts";
import { readSecretOf } from "../node-spec.ts";
import { launchDigest } from "./launch-digest.ts";
import { clusterObjectsOf, containerOf, filesOf, limitsOf } from "./launch-parts.ts";
import { local } from "./launcher.ts";
import type { LauncherInput } from "./launcher.ts";
import { checkProgram } from "./program-check.ts";
import { visibleCards } from "./visible-cards.ts";

interface Input extends LauncherInput {
  /** Folder of this service's own files. */
  readonly folder: string;
}

type Command = LaunchSpec["command"];

/**
 * How a service is started by its deployment. Throws OmniError where the deployment has none of it, or a secret that its
 * environment refers to is not set.
 */
export async function deployedLaunch(service: PlannedService, kind: string, input: Input): Promise<Prepared> {
  const { deployment, deployed } = deploymentWith(service, input);
  const starter = findEngineStarter(kind);
  if (starter === undefined || deployed === undefined)
    throw new OmniError(
      "engine.not-run-here",
      `services.${service.name}: nothing tells how the engine ${service.engine.name} is started.`,
    );
  const driver = findEngineDriver(kind);
  const process = deployed.runtime === "process";
  const repository = process ? input.folder : deployed.place.repositoryPath;
  const files = repository === undefined ? [] : filesOf(deployed, repository);
  const start = (where: Pick<EnginePlace, "host" | "port">): { command: Command; plain: Environment } => {
    const place: EnginePlace = {
      ...deployed.place,
      // A model that Omni brings along is no file of a deployment; a process of this machine reads it where it lies.
      ...(process && deployed.place.modelPath === "" ? { modelPath: service.model.path } : {}),
      ...(process ? where : {}),
      ...(process && deployed.place.repositoryPath !== undefined ? { repositoryPath: input.folder } : {}),
    };
    const sleep = maySleep(service, input) ? driver?.sleep : undefined;
    const { command, environment } = starter.start(
      { ...service, extraArguments: [...(sleep?.arguments ?? []), ...service.extraArguments] },
      deployed.options,
      place,
    );
    const cards = process ? visibleCards(kind, service, input.cards) : {};
    const watched = { ...driver?.watchEnvironment, ...sleep?.environment };
    return { command, plain: { ...watched, ...cards, ...environment, ...deployed.environment } };
  };
  const parts = {
    limits: limitsOf(deployed),
    ...(files.length === 0 ? {} : { files }),
    ...(deployed.runtime === "docker" ? { container: containerOf(deployed, deployment) } : {}),
    ...(deployed.runtime === "kubernetes" ? { objects: clusterObjectsOf(deployed, deployment) } : {}),
  };
  const anywhere = start({ host: "127.0.0.1", port: 1 });
  if (process && input.simulate === undefined)
    await checkProgram({
      service: service.name,
      kind,
      command: anywhere.command,
      cacheFolder: join(input.stateFolder, "programs"),
    });
  const environment = await valuesOf(anywhere.plain, service.name, input);
  const digest = launchDigest({
    service: service.name,
    command: anywhere.command,
    loadTimeout: service.loadTimeout,
    variables: anywhere.plain,
    ...parts,
  });
  const { task } = deployed.options;
  return {
    kind,
    runtime: deployed.runtime,
    target: { servedName: deployed.options.servedName, ...(task === undefined ? {} : { task }) },
    ...(service.port === undefined ? {} : { port: service.port }),
    digest,
    launch(address): LaunchSpec {
      const at = process ? local(address) : undefined;
      const where =
        at?.kind === "tcp" ? { host: at.host, port: at.port } : { host: "127.0.0.1", port: deployed.port };
      return {
        service: service.name,
        command: start(where).command,
        environment,
        address,
        loadTimeout: service.loadTimeout,
        digest,
        ...parts,
      };
    },
  };
}

/**
 * It is unloaded for others, and main memory has room for the weights of all that take turns: an engine that sleeps keeps
 * its process, and its weights there.
 */
function maySleep({ name, machine }: PlannedService, { plan }: Input): boolean {
  const { swapSets = [], services, ledger = [] } = plan();
  const members = new Set(swapSets.flatMap((set) => set.services));
  if (!members.has(name)) return false;
  const weights = services
    .filter((one) => members.has(one.name) && one.machine === machine)
    .reduce((sum, { model }) => sum + model.sizeBytes, 0);
  return ledger.some(
    (device) =>
      device.kind === "memory" &&
      (machine === undefined || device.machine === machine) &&
      device.free >= weights,
  );
}

interface Deployed {
  readonly deployment: Deployment;
  readonly deployed: DeployedService | undefined;
}

/** The deployment of the plan with this service as it is to be started, and the service in it. */
function deploymentWith(service: PlannedService, { located, plan }: Input): Deployed {
  const planned = plan();
  const asPlanned = planned.services.includes(service);
  const deployment =
    (asPlanned ? deployments.get(planned) : undefined) ?? deployAs(service, planned, located);
  // The services of a plan are all started by one deployment of it; one that has stepped down has its own.
  if (asPlanned) deployments.set(planned, deployment);
  return { deployment, deployed: deployment.services.find(({ name }) => name === service.name) };
}

const deployments = new WeakMap<Plan, Deployment>();

function deployAs(service: PlannedService, plan: Plan, located: Input["located"]): Deployment {
  const services = plan.services.map((one) => (one.name === service.name ? service : one));
  const known = services.includes(service);
  return deploymentOf(located, { ...plan, services: known ? services : [...services, service] });
}

/** The environment with the values of its secrets; a simulated engine is given none of them. */
async function valuesOf(
  environment: Environment,
  service: string,
  { located, simulate }: Input,
): Promise<Readonly<Record<string, string>>> {
  const values = await Promise.all(
    Object.entries(environment).map(async ([name, value]): Promise<[string, string]> => {
      if (typeof value === "string") return [name, value];
      if (simulate !== undefined) return [name, "simulated"];
      const secret = await readSecretOf(value, located.folder);
      if (secret !== undefined) return [name, secret];
      const from = value.env === undefined ? `the file ${value.file ?? ""}` : `the variable ${value.env}`;
      throw new OmniError(
        "key.unset",
        `services.${service}.environment.${name} comes from ${from}, which is not set or empty.`,
      );
    }),
  );
  return Object.fromEntries(values);
}
