import type { Card, Hardware } from "../../live/live-state.ts";
import type { LedgerDevice, Plan } from "../plan/plan-types.ts";
import { cardLayers, memoryLayers } from "./measured-layers.ts";
import type { Known } from "./measured-layers.ts";
import { plannedLayers } from "./planned-layers.ts";

import type { Machine, Vessel } from "./vessel.ts";

export interface Seen extends Known {
  readonly plan: Plan | undefined;
  readonly hardware: Hardware;
  /** Name of the node, for a machine that no plan names. */
  readonly node: string;
  /** Cards are simulated: main memory is that of another machine than the plan's. */
  readonly simulated: boolean;
}

/** The machines of the plan with their devices; what was seen and is in no plan stands under this machine. */
export function machinesOf(seen: Seen): readonly Machine[] {
  const { plan, hardware } = seen;
  const ledger = (plan?.ledger ?? []).filter(({ kind }) => kind !== "disk");
  const cards = hardware.reading?.cards ?? [];
  const names = cardNames(plan, hardware);
  const planned = [...Map.groupBy(ledger, ({ machine }) => machine)];
  const here = hereOf(planned, names);
  const machines = planned.map(([name, devices]): Machine => ({
    name,
    vessels: devices.map((device) =>
      vesselOf(device, cardOf(cards, names.get(device.device)), name === here, seen),
    ),
  }));
  const drawn = new Set(machines.flatMap(({ vessels }) => vessels.map(({ card }) => card?.uuid)));
  const strange = cards.filter(({ uuid }) => !drawn.has(uuid)).map((card) => unplanned(card, seen));
  const memory = ledger.some(({ kind }) => kind === "memory") ? [] : bareMemory(seen);
  const more = [...strange, ...memory];
  return more.length === 0
    ? machines
    : [...machines, { name: machines.length === 0 ? seen.node : "Not in the plan", vessels: more }];
}

/** UUIDs by the plan's names of devices. */
function cardNames(plan: Plan | undefined, hardware: Hardware): ReadonlyMap<string, string> {
  const pairs = (plan?.services ?? []).flatMap(({ devices, uuids = [] }) => {
    const named = devices.filter((device) => device !== "cpu" && !device.endsWith("/cpu"));
    return named.flatMap((device, i): (readonly [string, string])[] => {
      const uuid = uuids[i];
      return uuid === undefined ? [] : [[device, uuid]];
    });
  });
  return new Map([...pairs, ...Object.entries(hardware.names ?? {})]);
}

const cardOf = (cards: readonly Card[], uuid: string | undefined): Card | undefined =>
  uuid === undefined ? undefined : cards.find((card) => card.uuid === uuid);

/** The machine that the node runs on: the only one, or the one whose cards were seen. */
function hereOf(
  planned: readonly (readonly [string, readonly LedgerDevice[]])[],
  names: ReadonlyMap<string, string>,
): string | undefined {
  if (planned.length === 1) return planned[0]?.[0];
  return planned.find(([, devices]) => devices.some(({ device }) => names.has(device)))?.[0];
}

function vesselOf(device: LedgerDevice, card: Card | undefined, here: boolean, seen: Seen): Vessel {
  const { device: name, label } = device;
  const host = here && !seen.simulated ? seen.hardware.reading?.host : undefined;
  const isCard = device.kind === "gpu";
  const capacity = Math.max(device.capacity, (isCard ? card : host)?.memoryTotal ?? 0);
  const planned = seen.plan === undefined ? undefined : plannedLayers(device, seen.plan, capacity);
  if (isCard) return { device: name, kind: "gpu", label, capacity, planned, ...measuredOf(card, name, seen) };
  return {
    device: name,
    kind: "memory",
    label,
    capacity,
    planned,
    measured: host === undefined ? undefined : memoryLayers(host, name, seen),
    ...(host === undefined ? { unmeasured: whyNoMemory(here, seen.simulated) } : {}),
    card: undefined,
  };
}

function measuredOf(
  card: Card | undefined,
  device: string | undefined,
  seen: Seen,
): Pick<Vessel, "card" | "measured" | "unmeasured"> {
  if (card === undefined)
    return { card, measured: undefined, unmeasured: "This card was not seen on this machine." };
  const measured = cardLayers(card, device, seen);
  return measured === undefined
    ? { card, measured, unmeasured: "The driver does not tell what it holds." }
    : { card, measured };
}

const whyNoMemory = (here: boolean, simulated: boolean): string => {
  if (!here) return "This memory is of another machine.";
  return simulated
    ? "The plan's machine is simulated: its memory cannot be measured."
    : "The machine was not looked at yet.";
};

const unplanned = (card: Card, seen: Seen): Vessel => ({
  device: `card ${card.index}`,
  kind: "gpu",
  label: card.name,
  capacity: card.memoryTotal ?? 0,
  planned: undefined,
  ...measuredOf(card, undefined, seen),
});

function bareMemory(seen: Seen): readonly Vessel[] {
  const host = seen.hardware.reading?.host;
  if (host === undefined) return [];
  return [
    {
      device: "cpu",
      kind: "memory",
      label: "main memory",
      capacity: host.memoryTotal,
      planned: undefined,
      measured: memoryLayers(host, "cpu", seen),
      card: undefined,
    },
  ];
}
