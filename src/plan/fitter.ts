import type { DeviceRoom, Fit, HostRoom } from "../memory/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { fitBeside } from "./companions.ts";
import type { FitDemand } from "./companions.ts";
import { correctionsText } from "./learned.ts";
import type { PlanCard, PlanMachine } from "./machines.ts";

/** A card with what a service may take of it. */
export const roomOf = (card: PlanCard, free: number): DeviceRoom => ({
  name: card.id,
  total: card.visible,
  free,
  ...(card.computeCapability === undefined ? {} : { computeCapability: card.computeCapability }),
});

/** Main memory of a machine of which `taken` bytes are gone. */
export const hostRoom = (machine: PlanMachine, taken = 0): HostRoom => ({
  free: Math.max(0, machine.memory.capacity - machine.memory.headroom - taken),
  threads: machine.cores,
});

/** Stands for the name of the card at a position until the real one is known; no card's name has such a character. */
const placeholder = (position: number): string => `\u{E000}${position}\u{E001}`;
const PLACEHOLDER = /\u{E000}(\d+)\u{E001}/gu;

/** Main memory counts as no bound on a fit on cards when there is this many times what it takes. */
const PLENTY = 2;

/**
 * Fits of engines on cards, each computed once for equal cards whatever their names: a fleet has thousands of cards and
 * few kinds of them. One fitter serves one plan.
 */
export class Fitter {
  readonly #known = new Map<string, Fit>();
  /** Fits with all weights on cards, for which main memory was no bound: machines with more or less of it share them. */
  readonly #resident = new Map<string, Extract<Fit, { fits: true }>>();
  readonly #shapes = new Map<ModelShape | undefined, number>();

  /** The fit on a share of each card's free memory, on an otherwise empty machine. */
  onShare(demand: FitDemand, machine: PlanMachine, cards: readonly PlanCard[], share: number): Fit {
    const devices = cards.map((card) =>
      roomOf(card, Math.floor(Math.max(0, card.visible - card.headroom) * share)),
    );
    return this.on(demand, devices, hostRoom(machine));
  }

  /** The fit on exactly this room. */
  on(demand: FitDemand, devices: readonly DeviceRoom[], host: HostRoom): Fit {
    const nameless = devices.map((device, position) => ({ ...device, name: placeholder(position) }));
    return named(this.#fit(demand, nameless, host), devices);
  }

  #fit(demand: FitDemand, devices: readonly DeviceRoom[], host: HostRoom): Fit {
    const onCards = this.#key(demand, devices, host.threads);
    const resident = devices.length === 0 ? undefined : this.#resident.get(onCards);
    if (resident !== undefined && isPlenty(resident, host)) return resident;
    const key = `${onCards} ${host.free}`;
    const known = this.#known.get(key) ?? fitBeside(demand, devices, host);
    this.#known.set(key, known);
    if (known.fits && known.resident && isPlenty(known, host)) this.#resident.set(onCards, known);
    return known;
  }

  #key(
    { kind, shape, wishes, companions }: FitDemand,
    devices: readonly DeviceRoom[],
    threads: number,
  ): string {
    const beside = `${this.#idOf(companions?.draft)}:${companions?.adapterBytes ?? 0}:${correctionsText(companions?.corrections)}`;
    const rooms = devices.map(
      ({ total, free, computeCapability }) => `${total}:${free}:${computeCapability ?? ""}`,
    );
    return `${kind} ${this.#idOf(shape)} ${beside} ${JSON.stringify(wishes)} ${rooms.join()} ${threads}`;
  }

  #idOf(shape: ModelShape | undefined): number {
    const id = this.#shapes.get(shape) ?? this.#shapes.size;
    this.#shapes.set(shape, id);
    return id;
  }
}

const isPlenty = ({ prediction }: Extract<Fit, { fits: true }>, host: HostRoom): boolean =>
  prediction.host.total * PLENTY <= host.free;

function named(fit: Fit, devices: readonly DeviceRoom[]): Fit {
  if (fit.fits) return fit;
  const fill = (text: string): string =>
    text.replaceAll(PLACEHOLDER, (_, position: string) => devices[Number(position)]?.name ?? "");
  return { ...fit, reason: fill(fit.reason), hint: fill(fit.hint) };
}
