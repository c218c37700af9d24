import { findGpu } from "../catalog/index.ts";
import { parseComputeCapability } from "../core/index.ts";
import type { ComputeCapability } from "../core/index.ts";
import type { Spec, SpecPath } from "../spec/index.ts";

type Service = Spec["services"][string];
type Gpu = NonNullable<Spec["machines"][string]["gpus"]>[string];

/** A card of the spec with what is known of its model. */
export interface Card {
  /** Its key under `gpus`. */
  readonly name: string;
  readonly machine: string;
  readonly gpu: Gpu;
  /** `blackwell (RTX PRO 6000 Blackwell, 12.0)`. */
  readonly label: string;
  /** Absent where neither the catalog nor the spec knows it. */
  readonly capability?: ComputeCapability;
  readonly at: SpecPath;
}

/** What is asked for again and again of one spec, which never changes: its cards by machine, and its guests. */
interface Known {
  readonly byMachine: ReadonlyMap<string, readonly Card[]>;
  readonly byName: ReadonlyMap<string, readonly Card[]>;
  readonly all: readonly Card[];
  /** The machine of a spec that has one. */
  readonly onlyMachine?: string;
  readonly guests: readonly NamedGuest[];
  readonly guestByMachine: ReadonlyMap<string, NamedGuest>;
}
const KNOWN = new WeakMap<Spec, Known>();

function knownOf(spec: Spec): Known {
  const before = KNOWN.get(spec);
  if (before !== undefined) return before;
  const byMachine = new Map(
    Object.keys(spec.machines).map((machine) => [machine, readCards(spec, machine)] as const),
  );
  const all = [...byMachine.values()].flat();
  const guests = readGuests(spec);
  const [onlyMachine, second] = byMachine.keys();
  const known: Known = {
    byMachine,
    byName: Map.groupBy(all, (card) => card.name),
    all,
    ...(onlyMachine === undefined || second !== undefined ? {} : { onlyMachine }),
    guests,
    // Of two guests on one machine the first stands for it.
    guestByMachine: new Map(
      guests
        .toReversed()
        .flatMap((guest) => (guest.machine === undefined ? [] : [[guest.machine, guest] as const])),
    ),
  };
  KNOWN.set(spec, known);
  return known;
}

/** The cards of a machine in the order of the spec. */
export const cardsOfMachine = (spec: Spec, machine: string): readonly Card[] =>
  knownOf(spec).byMachine.get(machine) ?? [];

/** The cards of all machines. */
export const allCards = (spec: Spec): readonly Card[] => knownOf(spec).all;

export const guestsOf = (spec: Spec): readonly NamedGuest[] => knownOf(spec).guests;

function readCards(spec: Spec, machine: string): readonly Card[] {
  return Object.entries(spec.machines[machine]?.gpus ?? {}).map(([name, gpu]) => {
    const model = findGpu(gpu.model);
    const typed = gpu.computeCapability ?? model?.computeCapability;
    const capability = typed === undefined ? undefined : parseComputeCapability(typed);
    return {
      name,
      machine,
      gpu,
      label: `${name} (${model?.name ?? gpu.model}${typed === undefined ? "" : `, ${typed}`})`,
      ...(capability === undefined ? {} : { capability }),
      at: ["machines", machine, "gpus", name],
    };
  });
}

/** The machine that a service names, or the only one. */
export function machineOfService(spec: Spec, service: Service): string | undefined {
  if (service.machine !== undefined) return service.machine;
  const { onlyMachine } = knownOf(spec);
  if (onlyMachine !== undefined) return onlyMachine;
  const cards = service.devices.kind === "gpus" ? cardsNamed(spec, service.devices.gpus) : [];
  const owners = new Set(cards.map((card) => card.machine));
  return owners.size === 1 ? [...owners][0] : undefined;
}

/** Cards by the names that services use: `card`, or `machine/card`. */
function cardsNamed(spec: Spec, names: readonly string[], machine?: string): readonly Card[] {
  const { byName } = knownOf(spec);
  return names.flatMap((typed) => {
    const [owner, name = ""] = typed.includes("/") ? typed.split("/") : [machine, typed];
    return (byName.get(name) ?? []).filter((card) => owner === undefined || card.machine === owner);
  });
}

/** Cards that a service may be put on: those it names, or all of its machine (of all machines) when it leaves the choice. */
export function cardsOfService(spec: Spec, service: Service): readonly Card[] {
  const { devices, machine } = service;
  if (devices.kind === "cpu") return [];
  if (devices.kind === "gpus") return cardsNamed(spec, devices.gpus, machine);
  return machine === undefined ? allCards(spec) : cardsOfMachine(spec, machine);
}

type Guest = Spec["guests"][string];

export interface NamedGuest {
  readonly name: string;
  readonly guest: Guest;
  /** The machine that carries it, where that is clear. */
  readonly machine?: string;
}

function readGuests(spec: Spec): readonly NamedGuest[] {
  const machines = Object.keys(spec.machines);
  return Object.entries(spec.guests).map(([name, guest]) => {
    const own = guest.machine ?? (Object.hasOwn(spec.machines, name) ? name : undefined);
    const machine = own ?? (machines.length === 1 ? machines[0] : undefined);
    return { name, guest, ...(machine === undefined ? {} : { machine }) };
  });
}

/** The guest that a service runs in: that of its machine, or the only one. */
export function guestOfService(spec: Spec, service: Service): NamedGuest | undefined {
  const { guests, guestByMachine } = knownOf(spec);
  const machine = machineOfService(spec, service);
  if (machine !== undefined) return guestByMachine.get(machine);
  return guests.length === 1 ? guests[0] : undefined;
}

/** Cards that a guest sees: handed through to its VM, listed for its nodes, or all of its machine. */
export function cardsOfGuest(spec: Spec, { guest, machine }: NamedGuest): readonly Card[] {
  if (machine === undefined) return [];
  const cards = cardsOfMachine(spec, machine);
  const handed = new Set(Object.values(guest.vm?.hostpci ?? {}).map((slot) => slot.gpu));
  const listed = Object.values(guest.kubernetes?.nodes ?? {}).flatMap((node) => node.gpus ?? []);
  if (guest.vm !== undefined) return cards.filter((card) => handed.has(card.name));
  return listed.length === 0 ? cards : cards.filter((card) => listed.includes(card.name));
}

/** Blackwell (10.x, 11.x, 12.x) and whatever came after. */
export const isBlackwellOrLater = (card: Card): boolean => (card.capability?.major ?? 0) >= 10;
