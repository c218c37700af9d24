import { formatBytes } from "../core/index.ts";
import type { Assignment } from "./assign.ts";
import type { Candidate, Refusal } from "./candidates.ts";
import { cardKind } from "./card-sets.ts";
import { hostBytes, mayTakeTurns } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import type { PlanMachine } from "./machines.ts";
import type { Rejection } from "./plan.ts";

/** How many smaller placements of a placed service are told, at most. */
const MOST_ALTERNATIVES = 3;

/** Everything that was looked at and not taken, each with its arithmetic, by service and engine in order. Pure. */
export function rejectionsOf(fleet: Fleet, assignment: Assignment, swaps: boolean): readonly Rejection[] {
  const told = new Set<string>();
  return fleet.wanted.flatMap((wanted, item) => {
    const place = assignment.places[item];
    const refusals = fleet.refusals[item] ?? [];
    const rejections = wanted.settings.engine.flatMap((engine, rank): Rejection[] => {
      if (place !== undefined && rank > place.candidate.rank) return [];
      const about = { service: wanted.name, engine, model: wanted.demand.model };
      if (place !== undefined && rank === place.candidate.rank)
        return alternatives(refusals, engine, place.candidate).map((refusal) => ({
          ...about,
          ...toldOf(refusal, refusal.machine),
          alternative: true,
        }));
      const possible = (fleet.candidates[item] ?? []).find((candidate) => candidate.engine === engine);
      if (possible !== undefined)
        return [{ ...about, ...crowdedOut(fleet, assignment, item, possible, swaps) }];
      const refusal = mostCapable(refusals.filter((one) => one.engine === engine));
      return refusal === undefined ? [] : [{ ...about, ...toldOf(refusal, refusal.machine) }];
    });
    // Replicas are refused for the same reason as the first of them.
    return rejections.filter((rejection) => {
      const key = `${wanted.service} ${rejection.engine} ${rejection.reason}`;
      return !told.has(key) && told.add(key);
    });
  });
}

type Told = Omit<Rejection, "service" | "engine" | "model">;

const toldOf = (refusal: Refusal, machine: PlanMachine): Told => ({
  devices: refusal.cards.flatMap((card) => machine.cards[card]?.id ?? []),
  code: refusal.code,
  reason: refusal.reason,
  hint: refusal.hint,
  ...(refusal.source === undefined ? {} : { source: refusal.source }),
});

type Placed = Refusal & { readonly machine: PlanMachine };

/** Of all refusals of an engine the one about the most memory: what does not fit there fits nowhere else. */
const mostCapable = (refusals: readonly Placed[]): Placed | undefined =>
  refusals.toSorted((a, b) => memoryOf(b) - memoryOf(a))[0];

const memoryOf = ({ machine, cards }: Placed): number =>
  cards.reduce((sum, card) => sum + (machine.cards[card]?.visible ?? 0), 0);

/** Fewer cards than were taken would have been preferred: why they were not enough. */
function alternatives(refusals: readonly Placed[], engine: string, chosen: Candidate): readonly Placed[] {
  const seen = new Set<string>();
  return (
    refusals
      .filter(
        (refusal) =>
          refusal.engine === engine &&
          refusal.cards.length > 0 &&
          refusal.cards.length <= chosen.cards.length,
      )
      // Equal cards are refused for the same reason, whatever their names.
      .filter((refusal) => {
        const cards = refusal.cards.flatMap((card) => refusal.machine.cards[card] ?? []);
        const key = `${cards.map(cardKind).join()} ${refusal.code}`;
        return !seen.has(key) && seen.add(key);
      })
      .toSorted((a, b) => memoryOf(b) - memoryOf(a))
      .slice(0, MOST_ALTERNATIVES)
  );
}

/** It would fit alone, but others were worth more: says who has the room. */
function crowdedOut(
  fleet: Fleet,
  assignment: Assignment,
  item: number,
  possible: Candidate,
  swaps: boolean,
): Told {
  const wanted = fleet.wanted[item];
  const machine = machineFor(fleet, item, possible);
  const index = machine === undefined ? -1 : fleet.machines.indexOf(machine);
  const holders = assignment.places.flatMap((place, other) =>
    place?.machine === index ? [{ place, wanted: fleet.wanted[other] }] : [],
  );
  const onCards = possible.cards.flatMap((card, position): Short[] => {
    const room = machine?.cards[card];
    if (room === undefined) return [];
    const held = holders.flatMap(({ place, wanted: holder }) => {
      const at = place.candidate.cards.indexOf(card);
      return at === -1 || holder === undefined
        ? []
        : [{ name: holder.name, bytes: place.candidate.prediction.devices[at]?.total ?? 0 }];
    });
    const needs = possible.prediction.devices[position]?.total ?? 0;
    return [{ where: `on ${room.id}`, needs, size: room.visible, headroom: room.headroom, held }];
  });
  const memory: Short = {
    where: "of main memory",
    needs: wanted === undefined ? 0 : hostBytes(possible, wanted.settings),
    size: machine?.memory.capacity ?? 0,
    headroom: machine?.memory.headroom ?? 0,
    held: holders.flatMap(({ place, wanted: holder }) =>
      holder === undefined ? [] : [{ name: holder.name, bytes: hostBytes(place.candidate, holder.settings) }],
    ),
  };
  const devices = possible.cards.flatMap((card) => machine?.cards[card]?.id ?? []);
  const alien = holders.flatMap(({ place, wanted: holder }) =>
    holder !== undefined && place.candidate.cards.some((card) => possible.cards.includes(card))
      ? [holder]
      : [],
  );
  const alone = alien
    .filter((holder) => holder.settings.sharing === "exclusive")
    .map((holder) => holder.name);
  const wantsAlone = wanted?.settings.sharing === "exclusive" && alien.length > 0;
  if (alone.length > 0 || wantsAlone)
    return {
      devices,
      code: "does-not-fit",
      reason:
        alone.length > 0
          ? `fits, but ${alone.join(" and ")} has ${devices.join(" + ")} for itself (sharing: exclusive)`
          : `fits, but wants ${devices.join(" + ")} for itself (sharing: exclusive), where ${alien.map((holder) => holder.name).join(" and ")} runs`,
      hint: "Put one of them on another card, or write sharing: shared (both loaded) or swap (by turns).",
    };
  const demands = [...onCards, memory];
  const short = demands.filter(({ needs, size, headroom, held }) => needs > size - headroom - total(held));
  const mine = wanted === undefined || mayTakeTurns(wanted.settings);
  const turns = !swaps
    ? ", or let services take turns (policies.swap.mode: auto)"
    : mine && alien.some((holder) => mayTakeTurns(holder.settings))
      ? ""
      : ", or let it take turns with what is there (sharing: swap, and neither pinned)";
  const taken = assignment.places[item]?.candidate;
  if (short.length === 0 && taken !== undefined)
    return {
      devices,
      code: "does-not-fit",
      reason: `fits${devices.length === 0 ? " the processor alone" : possible.resident ? "" : " with a part of its weights in main memory"}, and ${taken.engine} is worth more`,
      hint: "Leave the later engines out to have this one.",
    };
  const fitsAlone = demands.every(({ needs, size, headroom }) => needs <= size - headroom);
  return {
    devices,
    code: "does-not-fit",
    reason: `${fitsAlone ? "fits alone, but not beside the others: it " : ""}${(short.length > 0 ? short : demands).map(shortage).join("; ")}`,
    hint: fitsAlone
      ? `Lower a context, parallel or memoryFraction, raise its priority${turns}.`
      : "Lower its context, its parallel requests or its shared memory, or put it on another machine.",
  };
}

/** One device that a candidate would need, and who holds what of it. Bytes. */
interface Short {
  readonly where: string;
  readonly needs: number;
  readonly size: number;
  readonly headroom: number;
  readonly held: readonly { readonly name: string; readonly bytes: number }[];
}

const total = (held: Short["held"]): number => held.reduce((sum, { bytes }) => sum + bytes, 0);

function shortage({ where, needs, size, headroom, held }: Short): string {
  const others = held
    .filter(({ bytes }) => bytes > 0)
    .map(({ name, bytes }) => `${name} takes ${formatBytes(bytes)}`);
  const kept = headroom > 0 ? ` and ${formatBytes(headroom)} stays free` : "";
  return `needs ${formatBytes(needs)} of ${formatBytes(size)} ${where}, where ${others.join(", ") || "nothing else is"}${kept}`;
}

/** A machine that a candidate was computed for. */
function machineFor(fleet: Fleet, item: number, candidate: Candidate): PlanMachine | undefined {
  const option = fleet.candidates[item]?.indexOf(candidate) ?? -1;
  const { kind, node } = fleet.problem.items[item]?.options[option] ?? {};
  return fleet.machines[node ?? fleet.problem.nodes.findIndex((one) => one.kind === kind)];
}
