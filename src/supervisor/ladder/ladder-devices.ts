import type { Plan } from "../../plan/plan.ts";
import type { Reading } from "../../watch/reading.ts";
import type { DeviceLook } from "./device-pressure.ts";

/** An amount of memory: bytes, or a share of what there is. */
export type Amount = { readonly bytes: number } | { readonly fraction: number };

/** A device of the plan that can be watched here. */
export interface LadderDevice {
  readonly device: string;
  /** Identity of a card; absent for main memory. */
  readonly uuid?: string;
  /** Bytes that are kept free. */
  readonly kept: number;
}

interface Given {
  readonly plan: Pick<Plan, "services" | "ledger">;
  readonly cards: ReadonlyMap<string, string>;
  readonly policies: {
    readonly headroom: { readonly vram: Amount; readonly memory: Amount };
    readonly watch: { readonly lowVram?: Amount | undefined };
  };
  readonly hostDevice?: string;
}

/** Main memory by its name in a plan for one machine. */
const HOST = "cpu";

/** The devices of a plan that this machine can look at, each with what is kept free of it. Pure. */
export function devicesOf({ plan, cards, policies, hostDevice }: Given): readonly LadderDevice[] {
  const { headroom, watch } = policies;
  const rowOf = (device: string) => (plan.ledger ?? []).find((row) => row.device === device);
  const capacityOf = (device: string): number =>
    rowOf(device)?.capacity ??
    plan.services.flatMap(({ memory }) => memory).find((terms) => terms.device === device)?.capacity ??
    0;
  const bytes = (amount: Amount, device: string): number =>
    "bytes" in amount ? amount.bytes : Math.floor(amount.fraction * capacityOf(device));
  const host = hostDevice ?? HOST;
  return [
    ...[...cards].map(([device, uuid]) => ({
      device,
      uuid,
      kept:
        watch.lowVram === undefined
          ? (rowOf(device)?.headroom ?? bytes(headroom.vram, device))
          : bytes(watch.lowVram, device),
    })),
    { device: host, kept: rowOf(host)?.headroom ?? bytes(headroom.memory, host) },
  ];
}

/** What a look of the watch says of a device; `undefined` for a card that is lost or that it does not know. */
export function lookAt({ uuid }: LadderDevice, { cards, host }: Reading): DeviceLook | undefined {
  if (uuid === undefined) return { free: host.memoryAvailable };
  const card = cards.find((card) => card.uuid === uuid);
  if (card === undefined || card.lost !== undefined) return undefined;
  return {
    ...(card.memoryFree === undefined ? {} : { free: card.memoryFree }),
    ...(card.temperature === undefined ? {} : { temperature: card.temperature }),
  };
}
