import type { Spec } from "../spec/spec.ts";
import type { Candidate } from "./candidates.ts";
import { hostBytes, mayTakeTurns, memoryBin, numaBin } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { placed } from "./left-over.ts";
import type { PlanMachine } from "./machines.ts";
import { refit } from "./refit.ts";
import { spread } from "./spread.ts";
import { waitingForCards } from "./slow-on-processor.ts";
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
  /** The fleet with the candidates that were made for what was left over. */
  readonly fleet: Fleet;
  /** No other assignment of the same candidates is worth more. */
  readonly optimal: boolean;
}

/**
 * Decides who goes where: the solver's choice, then what fits into the room that it leaves, then turns for what does not,
 * then room that nobody took. Pure.
 */
export function assign(given: Fleet, spec: Spec): Assignment {
  const { fleet, solution: filled } = placed(given);
  const solution = spread(fleet, filled);
  const turning = waitingForCards(fleet, solution);
  const swapSets =
    spec.policies.swap.mode === "off"
      ? []
      : findSwapSets(turning.problem, turning.solution, {
          mayShare: (index) => {
            const settings = fleet.wanted[index]?.settings;
            return settings !== undefined && mayTakeTurns(settings);
          },
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
  return { places, swapSets, fleet, optimal: solution.optimal && swapSets.length === 0 };
}

/** Points, times priority and one, of a few MiB. */
const NEXT_TO_NOTHING = 10;

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
      const taken = takenBy(fleet, places, others, machine, sets);
      const larger = refit(fleet, index, place.candidate, machine, taken);
      const settings = fleet.wanted[index]?.settings;
      if (larger === undefined || settings === undefined) continue;
      const gain = valueOf(larger, settings, machine) - valueOf(place.candidate, settings, machine);
      // More requests that share one cache cost next to nothing.
      const answersMore =
        larger.prediction.settings.parallel > place.candidate.prediction.settings.parallel &&
        gain > -NEXT_TO_NOTHING * (settings.priority + 1);
      if (gain > 0 || answersMore) places[index] = { ...place, candidate: larger };
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
  const taken = Array.from({ length: machine.cards.length + 1 + machine.numaMemory.length }, () => 0);
  const add = (bin: number, amount: number): void => {
    taken[bin] = (taken[bin] ?? 0) + amount;
  };
  for (const other of others) {
    const place = places[other];
    const settings = fleet.wanted[other]?.settings;
    if (place === undefined || place.swapSet !== undefined || settings === undefined) continue;
    for (const [position, card] of place.candidate.cards.entries())
      add(card, place.candidate.prediction.devices[position]?.total ?? 0);
    const numa = numaBin(machine, settings.numaNode);
    for (const bin of [memoryBin(machine), ...(numa === undefined ? [] : [numa])])
      add(bin, hostBytes(place.candidate, settings));
  }
  for (const set of sets) for (const { bin, amount } of set.reserve) add(bin, amount);
  return taken;
}
