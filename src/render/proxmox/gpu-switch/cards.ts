import { OmniError } from "../../../core/index.ts";
import type { Deployment, Host } from "../../../deployment/index.ts";

/** A card as the switch knows it. */
export interface SwitchCard {
  readonly name: string;
  /** Domain, bus and device, `0000:f1:00`: all functions of the card are below it. */
  readonly slot: string;
  readonly audio: boolean;
  /** Driver that owns the card on the host; absent where any will do. */
  readonly hostDriver?: "nvidia" | "nouveau";
  /** `vendor:device` of its functions, lower case; empty where the spec names none. */
  readonly ids: readonly string[];
}

/** Cards that a host hands to guests, and those among them whose address nobody wrote down. */
export interface SwitchCards {
  readonly cards: readonly SwitchCard[];
  readonly withoutAddress: readonly string[];
}

/**
 * The cards that the switch moves: `passthrough.cards`, else what the guests of this host map, else all cards of the
 * host. Throws `OmniError` `render.unrepresentable` for an address or id that is none.
 */
export function switchCards(host: Host, deployment: Deployment): SwitchCards {
  const gpus = host.gpus ?? {};
  const cards: SwitchCard[] = [];
  const withoutAddress: string[] = [];
  for (const name of namesOf(host, deployment)) {
    const gpu = Object.hasOwn(gpus, name) ? gpus[name] : undefined;
    if (gpu === undefined) continue;
    if (gpu.pci === undefined) {
      withoutAddress.push(name);
      continue;
    }
    cards.push({
      name,
      slot: slotOf(gpu.pci, name),
      audio: gpu.audio ?? true,
      ids: (gpu.ids ?? []).map((id) => checkedId(id, name)),
      ...(gpu.driver === "nvidia" || gpu.driver === "nouveau" ? { hostDriver: gpu.driver } : {}),
    });
  }
  return { cards, withoutAddress };
}

function namesOf(host: Host, deployment: Deployment): readonly string[] {
  if (host.passthrough?.cards !== undefined) return [...new Set(host.passthrough.cards)];
  const mapped = deployment.guests
    .filter((guest) => (guest.machine ?? deployment.hosts[0]?.name) === host.name)
    .flatMap((guest) => Object.values(guest.vm?.hostpci ?? {}).map((slot) => slot.gpu));
  return mapped.length > 0 ? [...new Set(mapped)] : Object.keys(host.gpus ?? {});
}

function slotOf(pci: string, card: string): string {
  const match = /^([0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f])(?:\.[0-7])?$/.exec(pci);
  if (match?.[1] !== undefined) return match[1];
  throw new OmniError(
    "render.unrepresentable",
    `The card ${JSON.stringify(card)} has ${JSON.stringify(pci)} as its address, which is no PCI address.`,
    { hint: 'Write it as lspci -D does: pci: "0000:f1:00".' },
  );
}

function checkedId(id: string, card: string): string {
  if (/^[0-9a-f]{4}:[0-9a-f]{4}$/.test(id)) return id;
  throw new OmniError(
    "render.unrepresentable",
    `The card ${JSON.stringify(card)} has ${JSON.stringify(id)} among its ids, which is no vendor:device id.`,
    { hint: 'Write it as lspci -nn does: ids: ["10de:2bb5"].' },
  );
}
