import { fitDemandOf } from "./candidates.ts";
import type { Engine } from "../spec/spec.ts";
import type { Candidate } from "./candidates.ts";
import { predictBeside } from "./companions.ts";
import type { Wanted } from "./fleet.ts";
import { roomOf } from "./fitter.ts";
import { takeStep } from "./ladder-steps.ts";
import type { Neighbourhood, State } from "./ladder-steps.ts";
import type { Task } from "./task.ts";
import type { PlanMachine } from "./machines.ts";
import type { LadderRung } from "./plan.ts";

/**
 * The contingency ladder of a placed service: each step with what it changes and the bytes that it frees on each device,
 * every step on top of the ones before. Steps that would change nothing stay in it and say why. Pure.
 */
export function ladderOf(
  wanted: Wanted,
  candidate: Candidate,
  machine: PlanMachine,
  neighbourhood: Neighbourhood & { readonly task: Task; readonly memory: string },
  engines: Readonly<Record<string, Engine>>,
): readonly LadderRung[] {
  const { memory, task } = neighbourhood;
  const cards = candidate.cards.flatMap((index) => machine.cards[index] ?? []);
  const devices = cards.map((card) => roomOf(card, Math.max(0, card.visible - card.headroom)));
  const demand = fitDemandOf(wanted.demand, candidate.kind.name, candidate.wishes);
  let state: State = { settings: candidate.prediction.settings, prediction: candidate.prediction };
  return wanted.settings.ladder.map((step): LadderRung => {
    const taken = takeStep(step, state, {
      machine,
      engines,
      wanted,
      candidate,
      neighbourhood,
      devices: cards.length === 0 ? [memory] : cards.map((card) => card.id),
      task,
      memory,
    });
    const base = { step: step.step, change: taken.change };
    if (taken.noEffect !== undefined) return { ...base, frees: [], noEffect: taken.noEffect };
    if (taken.settings === undefined) return { ...base, frees: [], ...taken.rest };
    const prediction = predictBeside(demand, taken.settings, devices);
    const frees = cards.map((card, index) => ({
      device: card.id,
      bytes: (state.prediction.devices[index]?.total ?? 0) - (prediction.devices[index]?.total ?? 0),
    }));
    const host = state.prediction.host.total - prediction.host.total;
    state = { settings: taken.settings, prediction };
    const changed = [...frees, { device: memory, bytes: host }].filter((freed) => freed.bytes !== 0);
    if (changed.length === 0) return { ...base, frees: [], noEffect: "it would take as much as before" };
    return { ...base, frees: changed, settings: taken.settings, ...taken.rest };
  });
}
