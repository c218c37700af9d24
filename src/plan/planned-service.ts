import { present } from "../core/index.ts";
import type { Model, Service, Spec } from "../spec/spec.ts";
import type { Assigned, Assignment } from "./assign.ts";
import { wouldFit } from "./candidates.ts";
import type { Candidate } from "./candidates.ts";
import { sharedMemory } from "./fleet.ts";
import type { Fleet, Wanted } from "./fleet.ts";
import { knownShape } from "./known-shape.ts";
import { ladderOf } from "./ladder.ts";
import type { Neighbourhood } from "./ladder-steps.ts";
import { taskOf } from "./task.ts";
import type { Task } from "./task.ts";
import { memoryName } from "./ledger.ts";
import type { PlanMachine } from "./machines.ts";
import type { Band, MemoryTerms, PlannedService } from "./plan.ts";
import { reasonsFor } from "./reasons.ts";
import { numberOrAuto } from "./wishes.ts";

/** Slack below which a placement counts as tight: the error of the prediction. Share of what is taken. */
const TIGHT_SHARE = 0.03;
const TIGHT_LEAST = 256 * 2 ** 20;

export interface ServiceContext {
  readonly spec: Spec;
  readonly fleet: Fleet;
  readonly assignment: Assignment;
  readonly ports: readonly (number | undefined)[];
  /** Files of models on this machine by the model's name. */
  readonly paths: ReadonlyMap<string, string>;
  /** Free bytes of each device of the ledger by its name. */
  readonly free: ReadonlyMap<string, number>;
  readonly neighbours: readonly Neighbour[];
}

/** A placed service with everything decided. Pure. */
export function plannedService(context: ServiceContext, item: number): PlannedService | undefined {
  const place = context.assignment.places[item];
  const wanted = context.fleet.wanted[item];
  if (place === undefined || wanted === undefined) return undefined;
  const machine = place.machine === undefined ? undefined : context.fleet.machines[place.machine];
  const { candidate } = place;
  const { settings, service, name } = wanted;
  const { prediction } = candidate;
  const { remote } = candidate.kind;
  const memory = machine === undefined || remote ? [] : memoryOf(context, place, settings, machine);
  const fallbacks = fallbacksOf(context, item);
  const port = context.ports[item];
  return {
    name,
    ...(name === service ? {} : { replicaOf: service }),
    ...(machine === undefined ? {} : { machine: machine.name }),
    runtime: settings.runtime,
    ...(settings.role === undefined ? {} : { role: settings.role }),
    engine: engineOf(context, place),
    model: modelOf(context, wanted),
    devices: devicesOf(place, machine),
    uuids: candidate.cards.flatMap((card) => machine?.cards[card]?.uuid ?? []),
    ...(remote
      ? {}
      : {
          tensorParallel: prediction.settings.tensorParallel,
          pipelineParallel: prediction.settings.pipelineParallel,
        }),
    ...present({
      capabilities: settings.capabilities ?? context.spec.models[wanted.demand.model]?.capabilities,
    }),
    ...(settings.cpus === undefined ? {} : { cpus: settings.cpus }),
    ...(settings.numaNode === undefined ? {} : { numaNode: settings.numaNode }),
    contextTokens: contextOf(candidate),
    parallel: prediction.settings.parallel,
    queueLimit: settings.queue,
    threads:
      candidate.kind.name === "embedded"
        ? (numberOrAuto(settings.threads) ?? 0)
        : prediction.settings.threads,
    ...(remote
      ? {}
      : { settings: prediction.settings, kvCache: prediction.kv, resident: candidate.resident }),
    memory,
    ...(remote ? {} : { band: bandOf(context, memory) }),
    ...(port === undefined ? {} : { port }),
    fallbacks,
    ladder:
      machine === undefined
        ? []
        : ladderOf(
            wanted,
            candidate,
            machine,
            {
              ...neighbourhood(context, item, fallbacks),
              task: taskIn(context, wanted, candidate),
              memory: memoryName(machine, context.fleet.machines.length),
            },
            context.spec.engines,
          ),
    reasons: reasonsFor(wanted, candidate, machine, turnsWith(context, place, item)),
    restart: settings.restart,
    lifecycle: {
      priority: settings.priority,
      pinned: settings.pinned,
      ...present({ ttl: settings.ttl }),
      after: settings.after,
      drainTimeout: settings.drainTimeout,
      warmUp: settings.warmUp,
      strategy: settings.strategy,
    },
    loadTimeout: settings.loadTimeout,
    extraArguments: settings.arguments.map(String),
  };
}

/** Engines that read no model of tokens have no context. */
const contextOf = ({ kind, prediction }: Candidate): number =>
  kind.formats.length === 0 && !kind.remote ? 0 : prediction.settings.contextTokens;

function engineOf({ spec }: ServiceContext, { candidate }: Assigned): PlannedService["engine"] {
  const { kind, engine: name } = candidate;
  // Omni's own engine is what its package pins.
  const version = kind.name === "embedded" ? "node-llama-cpp" : (spec.engines[name]?.version ?? "unknown");
  const image = spec.engines[name]?.image;
  return { name, kind: kind.name, version, ...(image === undefined ? {} : { image }) };
}

function modelOf({ spec, paths }: ServiceContext, { demand }: Wanted): PlannedService["model"] {
  const shape = knownShape(demand.shape);
  const model = spec.models[demand.model];
  return {
    name: demand.model,
    path: paths.get(demand.model) ?? (model === undefined ? "" : plannedPath(model)),
    sizeBytes: shape?.fileBytes ?? 0,
  };
}

/** Where the model's files are, or will be, on the machine that serves them. */
const plannedPath = ({ source, store }: Model): string =>
  source.file ?? store?.path ?? source.path ?? source.hub ?? source.remote ?? source.builtin ?? "";

function devicesOf({ candidate }: Assigned, machine: PlanMachine | undefined): readonly string[] {
  if (candidate.kind.remote) return [];
  return candidate.cards.length === 0
    ? ["cpu"]
    : candidate.cards.flatMap((card) => machine?.cards[card]?.id ?? []);
}

function memoryOf(
  { fleet }: Pick<ServiceContext, "fleet">,
  { candidate }: Assigned,
  settings: Service,
  machine: PlanMachine,
): readonly MemoryTerms[] {
  const { prediction } = candidate;
  const cards = candidate.cards.flatMap((index, position): MemoryTerms[] => {
    const card = machine.cards[index];
    const terms = prediction.devices[position];
    return card === undefined || terms === undefined
      ? []
      : [{ device: card.id, ...terms, capacity: card.visible }];
  });
  const shared = sharedMemory(settings);
  const host = {
    device: memoryName(machine, fleet.machines.length),
    ...prediction.host,
    overhead: prediction.host.overhead + shared,
    total: prediction.host.total + shared,
    parts: [
      ...prediction.host.parts,
      ...(shared === 0
        ? []
        : [{ term: "overhead" as const, name: "shared memory (/dev/shm)", bytes: shared }]),
    ],
    capacity: machine.memory.known ? machine.memory.capacity : 0,
  };
  return host.total === 0 && cards.length > 0 ? cards : [...cards, host];
}

function bandOf({ free }: ServiceContext, memory: readonly MemoryTerms[]): Band {
  const tight = memory.some((terms) => {
    const left = free.get(terms.device);
    return (
      terms.capacity > 0 && left !== undefined && left < Math.max(TIGHT_LEAST, terms.total * TIGHT_SHARE)
    );
  });
  return tight ? "tight" : "fits";
}

/** Later engines of the chain that would fit in its place. */
function fallbacksOf({ fleet, assignment }: ServiceContext, item: number): readonly string[] {
  const place = assignment.places[item];
  const wanted = fleet.wanted[item];
  const machine = fleet.machines[place?.machine ?? 0];
  if (place === undefined || wanted === undefined || machine === undefined) return [];
  return wanted.settings.engine
    .slice(place.candidate.rank + 1)
    .filter((engine) => wouldFit(wanted.demand, machine, place.candidate.cards, engine, fleet.search));
}

/** The other members of its swap set. */
const turnsWith = ({ assignment, fleet }: ServiceContext, { swapSet }: Assigned, item: number): string[] =>
  (assignment.swapSets[swapSet ?? -1]?.members ?? []).flatMap((member) =>
    member.item === item ? [] : (fleet.wanted[member.item]?.name ?? []),
  );

const taskIn = ({ spec }: Pick<ServiceContext, "spec">, wanted: Wanted, { kind }: Candidate): Task =>
  taskOf(wanted, spec.models[wanted.demand.model]?.capabilities, kind.remote || kind.formats.length > 0);

/** What other services may count on about a placed one. */
interface Neighbour extends Omit<Neighbourhood["others"][number], "byTurns"> {
  readonly item: number;
  readonly swapSet: number | undefined;
}

/** Every placed service as its neighbours see it; once for all, because a fleet has hundreds of them. */
export function neighboursOf(context: Omit<ServiceContext, "neighbours">): readonly Neighbour[] {
  const { fleet, assignment } = context;
  return assignment.places.flatMap((place, item): Neighbour[] => {
    const wanted = fleet.wanted[item];
    if (place === undefined || wanted === undefined) return [];
    const machine = place.machine === undefined ? undefined : fleet.machines[place.machine];
    return [
      {
        item,
        swapSet: place.swapSet,
        name: wanted.name,
        contextTokens: contextOf(place.candidate),
        priority: wanted.settings.priority,
        pinned: wanted.settings.pinned,
        onProcessor: place.candidate.cards.length === 0 && !place.candidate.kind.remote,
        remote: place.candidate.kind.remote,
        model: wanted.demand.model,
        task: taskIn(context, wanted, place.candidate),
        holds:
          machine === undefined
            ? []
            : memoryOf(context, place, wanted.settings, machine).map((terms) => ({
                device: terms.device,
                bytes: terms.total,
              })),
      },
    ];
  });
}

function neighbourhood(
  { neighbours, assignment }: ServiceContext,
  item: number,
  fallbacks: readonly string[],
): Neighbourhood {
  const own = assignment.places[item]?.swapSet;
  const others = neighbours
    .filter((other) => other.item !== item)
    .map((other) => ({ ...other, byTurns: own !== undefined && other.swapSet === own }));
  return { others, fallbacks };
}
