import { OmniError } from "../../core/index.ts";
import type { Host } from "../../deployment/index.ts";
import { findCards } from "../../host/gpu/index.ts";
import type { HostTo } from "../../host/gpu/index.ts";
import { switchCards } from "../../render/proxmox/gpu-switch/index.ts";
import type { SwitchCard } from "../../render/proxmox/gpu-switch/index.ts";
import { deploymentOf } from "../make-deployment.ts";
import { makePlan } from "../make-plan.ts";
import type { LocatedSpec } from "../node-spec.ts";

/** Cards that a command is about, and the order in which their functions move. */
export interface ChosenCards {
  readonly cards: readonly SwitchCard[];
  readonly order: readonly ("audio" | "video")[];
}

const ORDER = ["audio", "video"] as const;

/** All cards of the host's PCI bus. Throws `OmniError` `gpu.unreadable`. */
export const cardsOnBus = async (host: HostTo): Promise<ChosenCards> => ({
  cards: await findCards(host),
  order: ORDER,
});

/** The cards of a machine of the spec: those that it passes through, else all. Throws `OmniError` `cli.bad-argument`. */
export async function cardsOfSpec(located: LocatedSpec, machine: string | undefined): Promise<ChosenCards> {
  const plan = await makePlan(located, { online: false, brief: true });
  const deployment = deploymentOf(located, plan);
  const host = machineOf(deployment.hosts, machine, located.origin);
  const { cards, withoutAddress } = switchCards(host, deployment);
  if (withoutAddress.length > 0) {
    throw new OmniError(
      "cli.bad-argument",
      `${located.origin} names no PCI address for ${withoutAddress.join(", ")} of ${host.name}, so nobody can tell which card is meant.`,
      { hint: 'Give it at the card: pci: "0000:f1:00" (lspci -D -d 10de:), or leave out --spec.' },
    );
  }
  return { cards, order: host.passthrough?.order ?? ORDER };
}

function machineOf(hosts: readonly Host[], name: string | undefined, origin: string): Host {
  const found = name === undefined ? hosts : hosts.filter((host) => host.name === name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new OmniError(
    "cli.bad-argument",
    name === undefined
      ? `${origin} has ${hosts.length} machines.`
      : `${origin} has no machine ${JSON.stringify(name)}.`,
    { hint: `Name one: --host ${hosts.map((host) => host.name).join(" | ") || "… (the spec has no metal)"}` },
  );
}

/** Those that the command names, by name or address. Throws `OmniError` `cli.bad-argument` for one that is not there. */
export function chooseCards(
  { cards, order }: ChosenCards,
  wanted: readonly string[],
  uuids: ReadonlyMap<string, string>,
): ChosenCards {
  if (wanted.length === 0) return { cards, order };
  const chosen = wanted.map((name) => {
    const found = cards.find((card) => card.name === name || card.slot === slotOf(name, uuids));
    if (found !== undefined) return found;
    throw new OmniError("cli.bad-argument", `There is no card ${JSON.stringify(name)} here.`, {
      hint: `These are: ${cards.map((card) => `${card.name} (${card.slot})`).join(", ") || "none"}.`,
    });
  });
  return { cards: [...new Set(chosen)], order };
}

/** `F1:00.0`, `0000:f1:00` and `GPU-…` as the address that all functions of a card share. */
function slotOf(typed: string, uuids: ReadonlyMap<string, string>): string | undefined {
  const address = typed.toLowerCase().replace(/\.[0-7]$/, "");
  return uuids.get(typed) ?? (/^[0-9a-f]{2}:[0-9a-f]{2}$/.test(address) ? `0000:${address}` : address);
}
