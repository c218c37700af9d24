import { fitDemandOf } from "./candidates.ts";
import type { Candidate } from "./candidates.ts";
import { memoryBin, numaBin, sharedMemory } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { hostRoom, roomOf } from "./fitter.ts";
import type { PlanMachine } from "./machines.ts";

/**
 * The same engine on the same cards with all the room that others leave of them, as long a context and as many requests as
 * that holds; `undefined` where it does not fit. `taken` are bytes that others take of each bin of the machine.
 */
export function refit(
  fleet: Fleet,
  item: number,
  candidate: Candidate,
  machine: PlanMachine,
  taken: readonly number[],
): Candidate | undefined {
  const wanted = fleet.wanted[item];
  if (wanted === undefined) return undefined;
  const { demand, settings } = wanted;
  // The first candidate of an engine and its cards has the wishes of the spec, without what later ones left out.
  const full = fleet.candidates[item]?.find(
    (other) => other.engine === candidate.engine && other.cards.join() === candidate.cards.join(),
  );
  const wishes = full?.wishes ?? candidate.wishes;
  const devices = candidate.cards.flatMap((card) => {
    const found = machine.cards[card];
    return found === undefined
      ? []
      : [roomOf(found, Math.max(0, found.visible - found.headroom - (taken[card] ?? 0)))];
  });
  const shared = sharedMemory(settings);
  const host = hostRoom(machine, (taken[memoryBin(machine)] ?? 0) + shared);
  const numa = numaBin(machine, settings.numaNode);
  const onNode =
    numa === undefined
      ? host.free
      : (machine.numaMemory[settings.numaNode ?? -1] ?? 0) - (taken[numa] ?? 0) - shared;
  const fit = fleet.search.fitter.on(fitDemandOf(demand, candidate.kind.name, wishes), devices, {
    ...host,
    free: Math.max(0, Math.min(host.free, onNode)),
  });
  return fit.fits ? { ...candidate, prediction: fit.prediction, resident: fit.resident, wishes } : undefined;
}
