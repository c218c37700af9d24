import { present } from "../core/index.ts";
import { engineKindOf, findEngineKind } from "../catalog/index.ts";
import { findEngineStarter } from "../engines/index.ts";
import type { EngineOptions, EnginePlace } from "../engines/start.ts";
import { isMainMemory } from "../plan/memory-device.ts";
import type { Plan, PlannedService } from "../plan/plan.ts";
import type { Machine, Model, Service, Spec } from "../spec/spec.ts";
import { cardsNamed } from "./cards.ts";
import type { DeployedService } from "./deployed-service.ts";
import type { Cluster, DeployedCard, Refused } from "./deployment.ts";
import { engineImage, textsOnly } from "./images.ts";
import { mountsOf } from "./mounts.ts";
import type { SeenFiles } from "./mounts.ts";
import { machineOf, modelPath, sourcePath } from "./node-paths.ts";
import { serviceAsWritten } from "./as-written.ts";
import { sharedMemoryFor } from "./shared-memory.ts";

/** A service of the spec with its placement, or with the reason why it has none. */
export interface Chosen {
  readonly planned: PlannedService;
  readonly refused?: Refused;
}

/**
 * Every service that an engine outside Omni serves, in the order of the spec: as planned, or as written where the plan
 * refused it. Engines within Omni and remote ones are the gateway's own matter.
 */
export function chosenServices(spec: Spec, plan: Plan): readonly Chosen[] {
  return Object.keys(spec.services).flatMap((name): Chosen[] => {
    const placed = plan.services.filter((service) => (service.replicaOf ?? service.name) === name);
    if (placed.length > 0)
      return placed.flatMap((planned) => (runsOutside(spec, planned) ? [{ planned }] : []));
    const machine = spec.services[name]?.machine ?? onlyName(spec.machines);
    const planned = serviceAsWritten(name, spec, machine);
    const rejection = plan.rejected.find((one) => one.service === name && one.alternative !== true);
    if (planned === undefined || rejection === undefined) return [];
    const { code, reason, hint } = rejection;
    return [{ planned, refused: { code, reason, hint } }];
  });
}

function runsOutside(spec: Spec, { engine }: PlannedService): boolean {
  const known = engineKindOf(spec.engines[engine.name] ?? { kind: engine.kind ?? engine.name });
  return known !== undefined && !known.remote && known.name !== "embedded";
}

const onlyName = (named: Readonly<Record<string, unknown>>): string | undefined => {
  const names = Object.keys(named);
  return names.length === 1 ? names[0] : undefined;
};

/** One service with all that its runtime is told. `others` are the cards of all other services, by `machine/card`. */
export function deployedService(
  spec: Spec,
  { planned, refused }: Chosen,
  clusters: readonly Cluster[],
  others: ReadonlySet<string>,
  swapSets: Plan["swapSets"] = [],
): DeployedService | undefined {
  const settings = spec.services[planned.replicaOf ?? planned.name];
  const kind = findEngineKind(planned.engine.kind ?? planned.engine.name)?.name;
  const starter = kind === undefined ? undefined : findEngineStarter(kind);
  if (settings === undefined || kind === undefined || starter === undefined) return undefined;
  const runtime = planned.runtime ?? settings.runtime;
  const cards = cardsNamed(spec, planned.machine, planned.devices);
  const files = filesOf(spec, planned, settings);
  const options = optionsOf(spec, planned, settings);
  const image = runtime === "process" ? undefined : engineImage(spec, planned.engine.name, cards).image;
  const place = placeOf(spec, planned, settings, runtime, files, image);
  const engine = spec.engines[planned.engine.name];
  const cluster = runtime === "kubernetes" ? clusterOf(clusters, planned.machine) : undefined;
  return {
    name: planned.name,
    planned,
    runtime,
    kind,
    options,
    place,
    start: starter.start(planned, options, place),
    environment: textsOnly({ ...engine?.environment, ...settings.environment }),
    cards,
    exclusive: isExclusive(settings, cards, others),
    mounts: files.mounts,
    port: place.port,
    networks: settings.networks,
    ...memoryOf(planned, settings),
    threads: planned.threads,
    privileged: settings.privileged,
    strategy: settings.strategy,
    after: settings.after,
    loadTimeout: planned.loadTimeout,
    drainTimeout: settings.drainTimeout,
    labels: settings.labels ?? {},
    ...present({
      replicaOf: planned.replicaOf,
      draftModel: settings.draft?.model,
      refused,
      turns: turnsOf(planned.name, swapSets),
      engineVersion: engine?.version,
      machine: planned.machine,
      cluster: cluster?.name,
      node: cluster === undefined ? undefined : nodeOf(cluster, planned.machine, cards),
      image,
      nodePort: settings.nodePort,
      hostPort: settings.hostPort,
      shm: settings.shm ?? (runtime === "process" ? undefined : sharedMemoryFor(kind, cards.length)),
      cpus: planned.cpus,
      numaNode: planned.numaNode,
      resources: settings.resources === undefined ? undefined : present(settings.resources),
    }),
  };
}

/** Whom it takes turns with on its cards. */
function turnsOf(name: string, swapSets: NonNullable<Plan["swapSets"]>): DeployedService["turns"] {
  const set = swapSets.find(({ services }) => services.includes(name));
  return set === undefined ? undefined : { set: set.name, standing: set.standing === name };
}

const isExclusive = (
  { sharing }: Service,
  cards: readonly DeployedCard[],
  others: ReadonlySet<string>,
): boolean =>
  sharing === undefined
    ? cards.length > 0 && !cards.some(({ machine, name }) => others.has(`${machine}/${name}`))
    : sharing === "exclusive";

/** The cluster whose nodes lie on the machine; the only one otherwise. */
const clusterOf = (clusters: readonly Cluster[], machine: string | undefined): Cluster | undefined =>
  clusters.find(({ nodes }) => nodes.some((node) => node.machine === machine)) ?? clusters[0];

/** The node that sees all the cards, or the one that the spec pins everything to. */
const nodeOf = (
  cluster: Cluster,
  machine: string | undefined,
  cards: readonly DeployedCard[],
): string | undefined =>
  cluster.nodeName ??
  (cards.length === 0
    ? undefined
    : cluster.nodes.find(
        (node) => node.machine === machine && cards.every((card) => node.gpus.includes(card.name)),
      )?.name);

/** Main memory as predicted with /dev/shm, and the owner's limit, which is never below what is needed. */
function memoryOf(
  planned: PlannedService,
  { memory }: Service,
): Pick<DeployedService, "memoryRequest" | "memoryLimit"> {
  const predicted = planned.memory
    .filter(({ device }) => isMainMemory(device))
    .reduce((sum, { total }) => sum + total, 0);
  return {
    memoryRequest: predicted,
    ...(memory === undefined ? {} : { memoryLimit: Math.max(memory, predicted) }),
  };
}

function filesOf(spec: Spec, planned: PlannedService, settings: Service): SeenFiles {
  const machine = machineOf(spec, planned.machine);
  const wanted = [planned.model.name, settings.draft?.model].flatMap((name) => {
    const model = name === undefined ? undefined : spec.models[name];
    if (name === undefined || model === undefined || isElsewhere(model)) return [];
    const path = modelPath(
      name,
      model,
      machine,
      name === planned.model.name ? planned.model.path : undefined,
    );
    return [{ path, name: label(name), isFile: /\.gguf$/i.test(path) }];
  });
  return mountsOf(settings, machine, [...wanted, ...besideModel(spec, planned, machine)]);
}

/** Projector, adapters and chat template of a model that lie on the node as files of their own. */
function besideModel(
  spec: Spec,
  planned: PlannedService,
  machine: Machine | undefined,
): readonly { readonly path: string; readonly name: string; readonly isFile: boolean }[] {
  const { projector, adapters = [], chatTemplate } = spec.models[planned.model.name] ?? {};
  return [projector, ...adapters]
    .map((source) => sourcePath(source, machine))
    .concat(chatTemplate)
    .flatMap((path) =>
      path?.startsWith("/") === true ? [{ path, name: label(path), isFile: /\.[a-z0-9]+$/i.test(path) }] : [],
    );
}

const isElsewhere = ({ source }: Model): boolean =>
  source.remote !== undefined || source.builtin !== undefined;

/** A name as a DNS label. */
const label = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 50) || "model";

function optionsOf(spec: Spec, planned: PlannedService, settings: Service): EngineOptions {
  const engine = spec.engines[planned.engine.name];
  return {
    servedName: settings.servedName ?? planned.replicaOf ?? planned.name,
    weights: settings.weights,
    ...present({
      quantization: settings.quantization,
      dataParallel: settings.dataParallel,
      expertParallel: settings.expertParallel,
      draftTokens: settings.draft?.tokens,
      task: taskOf(settings, spec.models[planned.model.name]),
      kvCacheOffload: engine?.kvCacheOffload,
      binary: engine?.binary,
      entrypoint: engine?.entrypoint,
      command: settings.command,
    }),
  };
}

/** What it answers where that is no text, by what service or model are said to be able to do. */
function taskOf(settings: Service, model: Model | undefined): EngineOptions["task"] {
  const able: readonly string[] = settings.capabilities ?? model?.capabilities ?? [];
  if (able.includes("rerank")) return "rerank";
  return able.includes("embeddings") && !able.includes("chat") ? "embeddings" : undefined;
}

/** NUMA nodes of the machine as the guest that runs the engines sees them. */
function numaNodesOf(spec: Spec, machine: string | undefined): number | undefined {
  const cpu = machineOf(spec, machine)?.cpu;
  const vm = Object.values(spec.guests).find(
    (guest) => guest.machine === undefined || guest.machine === machine,
  )?.vm;
  if (vm !== undefined) return vm.numa?.length;
  if (cpu?.numa !== undefined) return cpu.numa.length;
  return cpu?.nodesPerSocket === undefined
    ? undefined
    : (cpu.sockets ?? 1) * Number(cpu.nodesPerSocket.slice(3));
}

/** Where a container finds Triton's model repository. */
const REPOSITORY = "/repository";

function placeOf(
  spec: Spec,
  planned: PlannedService,
  settings: Service,
  runtime: DeployedService["runtime"],
  files: SeenFiles,
  image: string | undefined,
): EnginePlace {
  const machine = machineOf(spec, planned.machine);
  const container = runtime !== "process";
  const seen = (name: string | undefined, found?: string): string | undefined => {
    const model = name === undefined ? undefined : spec.models[name];
    if (name === undefined || model === undefined || isElsewhere(model)) return undefined;
    const path = modelPath(name, model, machine, found);
    return container ? files.seenAt(path) : path;
  };
  const model = spec.models[planned.model.name];
  const show = (path: string | undefined): string | undefined =>
    path === undefined || !container ? path : files.seenAt(path);
  const adapters = (model?.adapters ?? []).flatMap((source) => show(sourcePath(source, machine)) ?? []);
  return {
    runtime: container ? "container" : "process",
    host: container ? "0.0.0.0" : "127.0.0.1",
    port: planned.port ?? findEngineKind(planned.engine.kind ?? "")?.defaultPort ?? 8000,
    modelPath: seen(planned.model.name, planned.model.path) ?? "",
    ...(planned.engine.kind === "triton-vllm" ? { repositoryPath: REPOSITORY } : {}),
    ...(adapters.length === 0 ? {} : { adapterPaths: adapters }),
    ...present({
      image,
      draftPath: seen(settings.draft?.model),
      projectorPath: show(sourcePath(model?.projector, machine)),
      chatTemplatePath: show(model?.chatTemplate),
      format: model?.format,
      quantization: model?.quantization,
      pinnedByUuid:
        runtime === "kubernetes" ? spec.runtime.kubernetes.pinning !== "device-plugin" : undefined,
      numaNodes: numaNodesOf(spec, planned.machine),
    }),
  };
}
