import { present } from "../core/index.ts";
import type { Plan } from "../plan/plan.ts";
import type { Spec } from "../spec/spec.ts";
import { cardsNamed } from "./cards.ts";
import { clustersOf } from "./clusters.ts";
import type { DeployedService } from "./deployed-service.ts";
import type {
  CommandModule,
  DeployedNetwork,
  Deployment,
  GuestSystem,
  Host,
  ImageBuild,
} from "./deployment.ts";
import { startFindings, withoutEmbedded } from "./findings.ts";
import { gatewayFindings } from "./gateway-findings.ts";
import { gatewayOf } from "./gateway.ts";
import { engineImage, registryOf, textsOnly } from "./images.ts";
import { modelsOf } from "./models.ts";
import { diskFolder, machineOf } from "./node-paths.ts";
import { chosenServices, deployedService } from "./services.ts";

export interface DeployInput {
  readonly spec: Spec;
  readonly plan: Plan;
  /** The document as typed, for what a gateway's own spec takes over as it stands. */
  readonly typed: Readonly<Record<string, unknown>>;
  /** Version of Omni whose image the gateway runs. */
  readonly omniVersion: string;
  /** Text of workflow templates by the path that the spec names, where a gateway is rendered. */
  readonly workflows?: ReadonlyMap<string, string>;
}

/** Decides all that spec and plan leave to whoever renders or runs them. Pure: the same input gives the same deployment. */
export function deploy(input: DeployInput): Deployment {
  const { spec, plan } = input;
  const clusters = clustersOf(spec);
  const chosen = chosenServices(spec, plan);
  const cardsOf = chosen.map(({ planned }) =>
    cardsNamed(spec, planned.machine, planned.devices).map(({ machine, name }) => `${machine}/${name}`),
  );
  const services = chosen.flatMap((one, index) => {
    const others = new Set(cardsOf.filter((_, other) => other !== index).flat());
    return deployedService(spec, one, clusters, others, plan.swapSets) ?? [];
  });
  const served = { spec, typed: input.typed, services, ...present({ workflows: input.workflows }) };
  const omni = omniImage(spec, input.omniVersion);
  const contained = spec.runtime.kind !== "process" || services.some(({ runtime }) => runtime !== "process");
  const { docker, process } = spec.runtime;
  return {
    name: spec.name,
    ...present({ description: spec.description }),
    runtime: spec.runtime.kind,
    hosts: Object.entries(spec.machines).map(([name, machine]): Host => ({ ...machine, name })),
    guests: guestsOf(spec),
    clusters,
    docker: {
      project: docker.project ?? spec.name,
      gpus: docker.gpus,
      labels: docker.labels ?? {},
    },
    process: {
      cgroups: process.cgroups,
      systemd: process.systemd,
      ...present({ user: process.user, logFolder: process.logFolder }),
    },
    services,
    images: [...imagesOf(spec, services), ...(contained ? [omni] : [])],
    models: modelsOf(
      spec,
      services.map(({ planned }) => planned),
    ),
    networks: networksOf(spec),
    gateway: gatewayOf({ ...served, image: omni.tag }),
    ...present({ commandModule: commandModuleOf(spec) }),
    telemetry: spec.telemetry,
    headroom: spec.policies.headroom,
    // What this version of `up` does not act on is no matter of files.
    findings: [
      ...plan.diagnostics.filter(({ code }) => code !== "plan.not-applied"),
      ...startFindings(spec, services),
      ...withoutEmbedded(plan, services, spec),
      ...gatewayFindings(served),
    ],
  };
}

function guestsOf(spec: Spec): readonly GuestSystem[] {
  const machines = Object.keys(spec.machines);
  return Object.entries(spec.guests).map(([name, { machine, ...guest }]) => ({
    ...guest,
    name,
    ...present({ machine: machine ?? (machines.length === 1 ? machines[0] : undefined) }),
  }));
}

/** Images that services in containers need and nobody publishes, each engine once. */
function imagesOf(spec: Spec, services: readonly DeployedService[]): readonly ImageBuild[] {
  const byEngine = Map.groupBy(
    services.filter(({ runtime }) => runtime !== "process"),
    ({ planned }) => planned.engine.name,
  );
  return [...byEngine].flatMap(
    ([engine, users]) =>
      engineImage(
        spec,
        engine,
        users.flatMap(({ cards }) => cards),
      ).build ?? [],
  );
}

/** Omni's own image, built from its repository, because what a node trusts with its keys is built where it is read. */
function omniImage(spec: Spec, version: string): ImageBuild {
  const push = registryOf(spec, undefined);
  const tag = `omni/node:${version}`;
  return {
    name: "omni",
    kind: "omni",
    version,
    tag: push === undefined ? tag : `${push.address}/${tag}`,
    cudaArchitectures: [],
    flags: {},
    environment: {},
    packages: [],
    network: "default",
    ...present({ push }),
    builder: "docker",
    path: "gateway",
  };
}

const networksOf = (spec: Spec): readonly DeployedNetwork[] =>
  Object.entries(spec.networks).map(([name, network]) => {
    const { driver, internal, isolation, external, subnet, gateway, parent, namespace } = network;
    return {
      name,
      driver,
      internal,
      isolation,
      external,
      allow: network.allow ?? [],
      labels: network.labels ?? {},
      ...present({ subnet, gateway, parent, namespace }),
    };
  });

function commandModuleOf(spec: Spec): CommandModule | undefined {
  const { commandModule } = spec.runbook;
  if (commandModule === undefined || commandModule === false) return undefined;
  const { disk } = commandModule;
  const holding = Object.values(spec.machines).filter(
    ({ disks = {} }) => disk !== undefined && disks[disk] !== undefined,
  );
  const machine = holding.length === 1 ? holding[0] : machineOf(spec, undefined);
  const folder =
    commandModule.disk === undefined
      ? undefined
      : diskFolder(machine, commandModule.disk, commandModule.path);
  return {
    image: commandModule.image ?? "ubuntu:24.04",
    at: commandModule.at ?? "/workspace",
    gpus: cardsNamed(spec, undefined, commandModule.gpus ?? []),
    packages: commandModule.packages ?? [],
    environment: textsOnly(commandModule.environment ?? {}),
    privileged: commandModule.privileged ?? false,
    ...present({ folder, storage: commandModule.storage }),
  };
}
