import type { OmniError } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Service, Spec } from "../spec/spec.ts";
import { candidatesOn } from "./candidates.ts";
import type { Candidate, Candidates, Demand, Refusal, Search } from "./candidates.ts";
import { machineKind } from "./card-sets.ts";
import { Fitter } from "./fitter.ts";
import { knownShape } from "./known-shape.ts";
import { correctionsFor } from "./learned.ts";
import type { Learned } from "./learned.ts";
import type { PlanMachine } from "./machines.ts";
import { nowhere } from "./nowhere.ts";
import type { Item, Node, Option, Problem } from "./solve/problem.ts";
import { imageRoom, modelRoom, numaRoom } from "./storage.ts";
import { valueOf } from "./value.ts";
import { wishesOf } from "./wishes.ts";

/** One copy of a service that wants a place. */
export interface Wanted {
  /** The service's name, with a number from the second replica on. */
  readonly name: string;
  /** Name in the spec. */
  readonly service: string;
  readonly settings: Service;
  readonly demand: Demand;
}

/** Everything that could be placed where, as the solver's problem and what its numbers mean. */
export interface Fleet {
  readonly machines: readonly PlanMachine[];
  readonly wanted: readonly Wanted[];
  readonly problem: Problem;
  readonly search: Search;
  /** By item, then option: the candidate behind it. */
  readonly candidates: readonly (readonly Candidate[])[];
  /** By item: every refusal, each with the machine it was about. */
  readonly refusals: readonly (readonly (Refusal & { readonly machine: PlanMachine })[])[];
}

export type Forbid = Demand["forbid"];

/** Services times machines up to which every set of cards and every engine is looked at. */
const THOROUGH = 12;

/** Index of the bin of main memory: after the cards. */
export const memoryBin = (machine: PlanMachine): number => machine.cards.length;

/** Index of the bin of a NUMA node's memory, after main memory; `undefined` where that is not known. */
export const numaBin = (machine: PlanMachine, node: number | undefined): number | undefined =>
  node === undefined || machine.numaMemory[node] === undefined ? undefined : memoryBin(machine) + 1 + node;

/**
 * The placement problem of a spec on its machines. Pure;
 * work is shared between equal services and equal machines.
 */
export function fleetOf(
  spec: Spec,
  shapes: ReadonlyMap<string, ModelShape | OmniError>,
  machines: readonly PlanMachine[],
  forbid: Forbid,
  { adapters = new Map<string, number>(), learned = [], lost = new Set<string>() }: Beside = {},
): Fleet {
  const kinds = new Map<string, number>();
  const representatives: PlanMachine[] = [];
  const nodes = machines.map((machine): Node => {
    const key = machineKind(machine);
    const kind = kinds.get(key) ?? representatives.push(machine) - 1;
    kinds.set(key, kind);
    return { name: machine.name, kind, bins: binsOf(machine) };
  });
  const names = new Set(Object.keys(spec.services));
  const wanted = Object.entries(spec.services).flatMap(([service, settings]) =>
    replicasOf(service, demandOf(service, settings, spec, { shapes, adapters, learned, forbid }), names),
  );
  const search: Search = {
    engines: spec.engines,
    fitter: new Fitter(),
    depth: wanted.length * machines.length <= THOROUGH ? "thorough" : "quick",
  };
  const look = memoized(spec, search);
  const items: Item[] = [];
  const candidates: Candidate[][] = [];
  const refusals: (Refusal & { machine: PlanMachine })[][] = [];
  for (const want of wanted) {
    const found: Candidate[] = [];
    const options: Option[] = [];
    const refused: (Refusal & { machine: PlanMachine })[] = [];
    const places = placesOf(want, machines, representatives, nodes);
    if (places.length === 0) refused.push(...nowhere(want.settings, machines, lost));
    for (const { machine, kind, node } of places) {
      const seen = look(want.demand, machine);
      refused.push(...seen.refusals.map((refusal) => ({ ...refusal, machine })));
      for (const candidate of seen.candidates) {
        found.push(candidate);
        options.push(optionOf(candidate, want.settings, machine, { kind, node }));
      }
    }
    items.push({ name: want.name, options });
    candidates.push(found);
    refusals.push(refused);
  }
  return { machines, wanted, problem: { nodes, items }, search, candidates, refusals };
}

const binsOf = (machine: PlanMachine): Node["bins"] => [
  ...machine.cards.map((card) => ({ name: card.id, capacity: Math.max(0, card.visible - card.headroom) })),
  { name: "memory", capacity: Math.max(0, machine.memory.capacity - machine.memory.headroom) },
  ...machine.numaMemory.map((capacity, node) => ({ name: `NUMA node ${node}`, capacity })),
];

interface Known {
  readonly shapes: ReadonlyMap<string, ModelShape | OmniError>;
  readonly adapters: ReadonlyMap<string, number>;
  readonly learned: readonly Learned[];
  readonly forbid: Forbid;
}

/** What is known beside shapes and machines: bytes of adapters by name, what earlier starts took, cards that are gone. */
interface Beside {
  readonly lost?: ReadonlySet<string>;
  readonly adapters?: ReadonlyMap<string, number>;
  readonly learned?: readonly Learned[];
}

function demandOf(
  service: string,
  settings: Service,
  spec: Spec,
  { shapes, adapters, learned, forbid }: Known,
): Demand {
  const model = settings.model ?? service;
  const draft = settings.draft === undefined ? undefined : knownShape(shapes.get(settings.draft.model));
  return {
    name: service,
    model,
    settings,
    shape: shapes.get(model),
    companions: {
      ...(draft === undefined ? {} : { draft }),
      adapterBytes: adapters.get(model) ?? 0,
      corrections: correctionsFor(model, learned),
    },
    takesTurns: spec.policies.swap.mode === "auto" && mayTakeTurns(settings),
    forbid,
  };
}

const replicasOf = (service: string, demand: Demand, names: Set<string>): Wanted[] =>
  Array.from({ length: demand.settings.replicas }, (_, index) => ({
    name: index === 0 ? service : replicaName(service, index + 1, names),
    service,
    settings: demand.settings,
    demand,
  }));

/** The most characters of a service's name; it is a DNS label wherever it runs. */
const LONGEST_NAME = 63;

/** The service's name with its number; the next one where the spec has a service of that name. */
function replicaName(service: string, number: number, names: Set<string>): string {
  for (let turn = number; ; turn += 1) {
    const name = `${service.slice(0, LONGEST_NAME - `-${turn}`.length).replace(/-+$/, "")}-${turn}`;
    if (names.has(name)) continue;
    names.add(name);
    return name;
  }
}

/** Whether a service may be unloaded for another and loaded again. */
export const mayTakeTurns = ({ pinned, sharing }: Service): boolean =>
  !pinned && (sharing ?? "swap") === "swap";

interface Place {
  readonly machine: PlanMachine;
  readonly kind: number;
  readonly node?: number;
}

/** One place a kind of machine, or the machines that the owner named. */
function placesOf(
  { settings }: Wanted,
  machines: readonly PlanMachine[],
  representatives: readonly PlanMachine[],
  nodes: readonly Node[],
): readonly Place[] {
  const { devices, machine: named } = settings;
  const owner =
    named ?? (devices.kind === "gpus" ? devices.gpus[0]?.split("/").slice(0, -1).join("/") : undefined);
  const one =
    owner === undefined || owner === "" ? -1 : machines.findIndex((machine) => machine.name === owner);
  const machine = machines[one];
  if (named === undefined && devices.kind === "gpus" && areApart(devices.gpus, machines)) return [];
  if (machine !== undefined) return [{ machine, kind: nodes[one]?.kind ?? 0, node: one }];
  // Cards are named by their machine's own keys, which interchangeable machines need not share.
  if (devices.kind === "gpus")
    return machines.flatMap((candidate, node) =>
      devices.gpus.every((gpu) => candidate.cards.some((card) => card.name === gpu))
        ? [{ machine: candidate, kind: nodes[node]?.kind ?? 0, node }]
        : [],
    );
  return representatives.map((candidate, kind) => ({ machine: candidate, kind }));
}

/** Whether cards are named by their machines, and those differ. */
const areApart = (gpus: readonly string[], machines: readonly PlanMachine[]): boolean =>
  new Set(
    gpus.flatMap((gpu) => machines.find(({ cards }) => cards.some((card) => card.id === gpu))?.name ?? []),
  ).size > 1;

/** A candidate as an option of the placement problem, on a kind of machine or on the only one it may go on. */
export function optionOf(
  candidate: Candidate,
  settings: Service,
  machine: PlanMachine,
  { kind, node }: { readonly kind?: number; readonly node?: number | undefined },
): Option {
  const value = valueOf(candidate, settings, machine);
  if (candidate.kind.remote) return { value, uses: [] };
  const uses = [
    ...candidate.cards.map((card, index) => ({
      bin: card,
      amount: candidate.prediction.devices[index]?.total ?? 0,
    })),
    ...[memoryBin(machine), numaBin(machine, settings.numaNode) ?? []]
      .flat()
      .map((bin) => ({ bin, amount: hostBytes(candidate, settings) })),
  ].filter((use) => use.amount > 0);
  return {
    value,
    ...(kind === undefined ? {} : { kind }),
    ...(node === undefined ? {} : { node }),
    uses,
    ...(settings.sharing === "exclusive" ? { exclusive: candidate.cards } : {}),
  };
}

/** Shared memory of a service's container, bytes: pages of /dev/shm are main memory. */
export const sharedMemory = (settings: Service): number =>
  settings.runtime === "process" ? 0 : (settings.shm ?? 0);

/** Main memory that a candidate takes, shared memory included. */
export const hostBytes = ({ prediction }: Candidate, settings: Service): number =>
  prediction.host.total + sharedMemory(settings);

/** Candidates of equal demands on equal machines are computed once. */
function memoized(spec: Spec, search: Search): (demand: Demand, machine: PlanMachine) => Candidates {
  const known = new Map<string, Candidates>();
  return (demand, machine) => {
    const { settings } = demand;
    const shape = knownShape(demand.shape);
    const key = [
      demand.model,
      machineKind(machine),
      machine.cards.map((card) => card.id).join(),
      JSON.stringify([
        settings.numaNode,
        settings.shm,
        wishesOf(settings, shape),
        settings.engine,
        settings.devices,
        settings.runtime,
        settings.kvCache,
        settings.draft,
        demand.takesTurns,
        settings.arguments,
        settings.environment,
        settings.engine.filter((name) => isForbidden(demand, name, spec)),
      ]),
      settings.context,
      settings.parallel,
    ].join("|");
    const before = known.get(key);
    if (before !== undefined) return before;
    const found = withStorage(candidatesOn(demand, machine, search), demand, machine, spec);
    known.set(key, found);
    return found;
  };
}

const isForbidden = (demand: Demand, name: string, { engines }: Spec): boolean =>
  demand.forbid(engines[name] ?? { kind: name }, demand.settings, { service: demand.name, engine: name }) !==
  undefined;

/** Takes away what has no room beside cards and memory: on disks for weights and images, on the NUMA node it is bound to. */
function withStorage(found: Candidates, demand: Demand, machine: PlanMachine, spec: Spec): Candidates {
  const model = spec.models[demand.model];
  const shape = knownShape(demand.shape);
  const weights = model === undefined || shape === undefined ? undefined : modelRoom(model, shape, machine);
  const candidates: Candidate[] = [];
  const refusals = [...found.refusals];
  for (const candidate of found.candidates) {
    const engine = spec.engines[candidate.engine] ?? { kind: candidate.kind.name };
    const image = demand.settings.runtime === "process" ? undefined : imageRoom(engine, machine);
    const numa = numaRoom(demand.settings.numaNode, hostBytes(candidate, demand.settings), machine);
    const fault = candidate.kind.remote ? undefined : (weights ?? image ?? numa);
    if (fault === undefined) candidates.push(candidate);
    else refusals.push({ engine: candidate.engine, rank: candidate.rank, cards: candidate.cards, ...fault });
  }
  return { candidates, refusals };
}
