import type { Spec } from "../spec/spec.ts";
import type { Assignment } from "./assign.ts";
import { hostBytes } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { knownShape } from "./known-shape.ts";
import type { PlanMachine } from "./machines.ts";
import type { LedgerDevice, SwapSet } from "./plan.ts";
import { diskOf } from "./storage.ts";

type Entry = LedgerDevice["entries"][number];

/** Every device of every machine with who takes what of it: cards, main memory, disks. Pure. */
export function ledgerOf(
  fleet: Fleet,
  spec: Spec,
  assignment: Assignment,
  names: readonly string[],
): readonly LedgerDevice[] {
  return fleet.machines.flatMap((machine, index) => {
    const here = assignment.places.flatMap((place, item) =>
      place?.machine === index ? [{ place, item, wanted: fleet.wanted[item] }] : [],
    );
    const cards = machine.cards.map((card, position): LedgerDevice => {
      const entries = here.flatMap(({ place, wanted }): Entry[] => {
        const at = place.candidate.cards.indexOf(position);
        const bytes = at === -1 ? 0 : (place.candidate.prediction.devices[at]?.total ?? 0);
        return wanted === undefined || bytes === 0
          ? []
          : [{ service: wanted.name, bytes, ...swapSetOf(place.swapSet, names) }];
      });
      return device(machine, "gpu", card.id, card.model, card.visible, card.headroom, entries);
    });
    const memory = device(
      machine,
      "memory",
      memoryName(machine, fleet.machines.length),
      "main memory",
      machine.memory.known ? machine.memory.capacity : 0,
      machine.memory.headroom,
      here.flatMap(({ place, wanted }): Entry[] => {
        const bytes = wanted === undefined ? 0 : hostBytes(place.candidate, wanted.settings);
        return wanted === undefined || bytes === 0
          ? []
          : [{ service: wanted.name, bytes, ...swapSetOf(place.swapSet, names) }];
      }),
    );
    return [
      ...cards,
      memory,
      ...disksOf(
        machine,
        fleet,
        spec,
        here.map(({ item }) => item),
      ),
    ];
  });
}

const swapSetOf = (set: number | undefined, names: readonly string[]): { swapSet?: string } =>
  set === undefined ? {} : { swapSet: names[set] ?? "" };

/** Main memory by its name in a plan: `cpu`, or `machine/cpu` where there are several machines. */
export const memoryName = (machine: PlanMachine, machines: number): string =>
  machines > 1 ? `${machine.name}/cpu` : "cpu";

function disksOf(machine: PlanMachine, fleet: Fleet, spec: Spec, items: readonly number[]): LedgerDevice[] {
  return machine.disks.map((disk) => {
    const entries = new Map<string, Entry>();
    for (const item of items) {
      const wanted = fleet.wanted[item];
      const model = wanted === undefined ? undefined : spec.models[wanted.demand.model];
      const shape = knownShape(wanted?.demand.shape);
      if (wanted === undefined || model === undefined || shape === undefined) continue;
      // One copy of the files serves every service of the model.
      if (diskOf(model, machine)?.name === disk.name)
        entries.set(wanted.demand.model, { service: wanted.service, bytes: shape.fileBytes });
    }
    return device(machine, "disk", disk.name, disk.mount ?? disk.name, disk.room ?? 0, disk.headroom, [
      ...entries.values(),
    ]);
  });
}

function device(
  machine: PlanMachine,
  kind: LedgerDevice["kind"],
  name: string,
  label: string,
  capacity: number,
  headroom: number,
  entries: readonly Entry[],
): LedgerDevice {
  // Members of a swap set are there by turns: the largest counts.
  const sets = new Map<string, number>();
  let taken = 0;
  for (const entry of entries) {
    if (entry.swapSet === undefined) taken += entry.bytes;
    else sets.set(entry.swapSet, Math.max(sets.get(entry.swapSet) ?? 0, entry.bytes));
  }
  for (const bytes of sets.values()) taken += bytes;
  return {
    device: name,
    machine: machine.name,
    kind,
    label,
    capacity,
    headroom,
    entries,
    free: Math.max(0, capacity - taken),
  };
}

/** The swap sets of an assignment, named by their standing service. */
export function swapSetsOf(fleet: Fleet, assignment: Assignment): readonly SwapSet[] {
  return assignment.swapSets.map((set) => {
    const machine = fleet.machines[set.node];
    const members = set.members.flatMap((member) => fleet.wanted[member.item] ?? []);
    const names = members.map((wanted) => wanted.name);
    const bins = [
      ...(machine?.cards.map((card) => card.id) ?? []),
      ...(machine === undefined ? [] : [memoryName(machine, fleet.machines.length)]),
    ];
    // Memory of NUMA nodes is a part of main memory and not told twice.
    const reserve = set.reserve.filter((use) => use.bin < bins.length);
    const standing = members.toSorted((a, b) => b.settings.priority - a.settings.priority)[0]?.name ?? "";
    return {
      name: `swap-${standing}`,
      devices: reserve.filter((use) => use.amount > 0).map((use) => bins[use.bin] ?? ""),
      services: names,
      standing,
      reserves: reserve.map((use) => ({ device: bins[use.bin] ?? "", bytes: use.amount })),
    };
  });
}
