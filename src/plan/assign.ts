import { memoryModelOf } from "../memory/index.ts";
import { OmniError } from "../core/index.ts";
import type { Spec } from "../spec/spec.ts";
import type { Candidate } from "./candidates.ts";
import { hostBytes, memoryBin } from "./fleet.ts";
import { hostRoom, roomOf } from "./fitter.ts";
import type { Fleet } from "./fleet.ts";
import type { PlanMachine } from "./machines.ts";
import { solve } from "./solve/solve.ts";
import { findSwapSets } from "./solve/swap-sets.ts";
import type { SwapAssignment } from "./solve/swap-sets.ts";
import { valueOf } from "./value.ts";

/** Where one wanted service went. */
export interface Assigned {
  readonly candidate: Candidate;
  /** Index of the machine; absent for what runs elsewhere. */
  readonly machine?: number;
  /** Index into `swapSets`, for members of one. */
  readonly swapSet?: number;
}

export interface Assignment {
  /** By wanted service; `undefined` for what was not placed. */
  readonly places: readonly (Assigned | undefined)[];
  readonly swapSets: readonly SwapAssignment[];
  /** No other assignment of the same candidates is worth more. */
  readonly optimal: boolean;
}

/** Decides who goes where: the solver's choice, then turns for what is left over, then room that nobody took. Pure. */
export function assign(fleet: Fleet, spec: Spec): Assignment {
  const solution = solve(fleet.problem);
  const mayTakeTurns = (index: number): boolean => {
    const settings = fleet.wanted[index]?.settings;
    return settings !== undefined && !settings.pinned && (settings.sharing ?? "swap") === "swap";
  };
  const swapSets =
    spec.policies.swap.mode === "off"
      ? []
      : findSwapSets(fleet.problem, solution, {
          mayShare: mayTakeTurns,
          pinned: (index) => fleet.wanted[index]?.settings.pinned === true,
        });
  const places: (Assigned | undefined)[] = solution.choices.map((choice, item) => {
    const candidate = choice === undefined ? undefined : fleet.candidates[item]?.[choice.option];
    if (candidate === undefined) return undefined;
    return { candidate, ...(choice?.node === undefined ? {} : { machine: choice.node }) };
  });
  for (const [swapSet, set] of swapSets.entries())
    for (const member of set.members) {
      const candidate = fleet.candidates[member.item]?.[member.option];
      if (candidate !== undefined) places[member.item] = { candidate, machine: set.node, swapSet };
    }
  grow(fleet, places, swapSets);
  return { places, swapSets, optimal: solution.optimal && swapSets.length === 0 };
}

/** Gives what nobody took to those that can use it, the highest priority first: longer contexts, more at a time. */
function grow(fleet: Fleet, places: (Assigned | undefined)[], swapSets: readonly SwapAssignment[]): void {
  const byMachine = Map.groupBy(
    places.flatMap((place, index) =>
      place?.machine === undefined ? [] : [{ index, machine: place.machine }],
    ),
    (entry) => entry.machine,
  );
  for (const [machineIndex, entries] of byMachine) {
    const machine = fleet.machines[machineIndex];
    if (machine === undefined) continue;
    const sets = swapSets.filter((set) => set.node === machineIndex);
    const order = entries
      .map((entry) => entry.index)
      .toSorted((a, b) => priority(fleet, b) - priority(fleet, a) || a - b);
    for (const index of order) {
      const place = places[index];
      if (place === undefined || place.swapSet !== undefined || place.candidate.kind.remote) continue;
      const others = entries.map((entry) => entry.index).filter((other) => other !== index);
      const larger = regrown(
        fleet,
        place.candidate,
        index,
        machine,
        takenBy(fleet, places, others, machine, sets),
      );
      if (larger !== undefined) places[index] = { ...place, candidate: larger };
    }
  }
}

const priority = (fleet: Fleet, index: number): number => fleet.wanted[index]?.settings.priority ?? 0;

/** Bytes that others take of each bin of a machine; members of a swap set count as the most of any of them. */
function takenBy(
  fleet: Fleet,
  places: readonly (Assigned | undefined)[],
  others: readonly number[],
  machine: PlanMachine,
  sets: readonly SwapAssignment[],
): readonly number[] {
  const taken = Array.from({ length: machine.cards.length + 1 }, () => 0);
  const add = (bin: number, amount: number): void => {
    taken[bin] = (taken[bin] ?? 0) + amount;
  };
  for (const other of others) {
    const place = places[other];
    const settings = fleet.wanted[other]?.settings;
    if (place === undefined || place.swapSet !== undefined || settings === undefined) continue;
    for (const [position, card] of place.candidate.cards.entries())
      add(card, place.candidate.prediction.devices[position]?.total ?? 0);
    add(memoryBin(machine), hostBytes(place.candidate, settings));
  }
  for (const set of sets) for (const { bin, amount } of set.reserve) add(bin, amount);
  return taken;
}

/** The same candidate with all that is left of its cards, when that is worth more. */
function regrown(
  fleet: Fleet,
  candidate: Candidate,
  index: number,
  machine: PlanMachine,
  taken: readonly number[],
): Candidate | undefined {
  const wanted = fleet.wanted[index];
  if (wanted === undefined) return undefined;
  const shape = wanted.demand.shape instanceof OmniError ? undefined : wanted.demand.shape;
  const full = fleet.candidates[index]?.find(
    (other) => other.engine === candidate.engine && other.cards.join() === candidate.cards.join(),
  );
  const wishes = full?.wishes ?? candidate.wishes;
  const devices = candidate.cards.flatMap((card) => {
    const found = machine.cards[card];
    return found === undefined
      ? []
      : [roomOf(found, Math.max(0, found.visible - found.headroom - (taken[card] ?? 0)))];
  });
  const shm = hostBytes(candidate, wanted.settings) - candidate.prediction.host.total;
  const fit = memoryModelOf(candidate.kind.name).fit({
    shape,
    wishes,
    devices,
    host: hostRoom(machine, (taken[memoryBin(machine)] ?? 0) + shm),
  });
  if (!fit.fits) return undefined;
  const larger = { ...candidate, prediction: fit.prediction, resident: fit.resident, wishes };
  return valueOf(larger, wanted.settings, machine) > valueOf(candidate, wanted.settings, machine)
    ? larger
    : undefined;
}
