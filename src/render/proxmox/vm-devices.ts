import { propertyString, pveName, pvePart } from "../escape/pve.ts";
import { mebibytes } from "./mebibytes.ts";
import type { HostedVm, ProxmoxHost, Vm } from "./proxmox-host.ts";

type Setting = readonly [key: string, value: string];

/** A card in a slot of the VM, by its resource mapping. */
export interface PassedSlot {
  readonly slot: string;
  readonly card: string;
  readonly mapping: string;
  /** All options but the one that says which device it is. */
  readonly options: string;
  /** PCI address as Proxmox takes it: lower case, no function for all functions. */
  readonly address: string | undefined;
  readonly romFile: string | undefined;
  /** The mapping is the owner's; Omni looks for it and does not make it. */
  readonly typed: boolean;
}

/** Cards of a VM by slot, in the order of the slots' numbers. */
export function passedSlots({ vm, guest }: HostedVm, { cards }: ProxmoxHost): readonly PassedSlot[] {
  const slots = Object.entries(vm.hostpci ?? {}).toSorted(
    ([a], [b]) => Number(a.slice("hostpci".length)) - Number(b.slice("hostpci".length)),
  );
  return slots.flatMap(([slot, asked]) => {
    const card = cards.find(({ name }) => name === asked.gpu);
    if (card === undefined) return [];
    const romFile = asked.romFile ?? card.gpu.romFile;
    const place = `guests.${guest.name}.vm.hostpci.${slot}.romFile`;
    return [
      {
        slot,
        card: asked.gpu,
        mapping: asked.mapping ?? card.mapping,
        address: card.gpu.pci,
        romFile,
        typed: asked.mapping !== undefined,
        options: propertyString([
          ["pcie", asked.pcie === false ? undefined : 1],
          ["rombar", asked.romBar === false ? 0 : undefined],
          ["romfile", romFile === undefined ? undefined : pvePart(romFile, place)],
          ["x-vga", asked.primary === true ? 1 : undefined],
        ]),
      },
    ];
  });
}

export const slotSettings = (slots: readonly PassedSlot[]): readonly Setting[] =>
  slots.map(({ slot, mapping, options }) => [
    slot,
    propertyString([
      ["mapping", mapping],
      ["", options === "" ? undefined : options],
    ]),
  ]);

/** Network cards; without a MAC address Proxmox makes one up once, and the script keeps it. */
export const networkSettings = ({ vm, guest }: HostedVm): readonly Setting[] =>
  (vm.networks ?? []).map((network, index) => {
    const place = `guests.${guest.name}.vm.networks.${index}`;
    const model = network.model ?? "virtio";
    return [
      `net${index}`,
      propertyString([
        ["", network.mac === undefined ? model : `${model}=${network.mac.toUpperCase()}`],
        ["bridge", pveName(network.bridge, `${place}.bridge`)],
        ["tag", network.vlan],
      ]),
    ];
  });

/**
 * Virtual NUMA nodes. Ranges of one node are apart by semicolons. A policy needs a host node and is left out without one.
 * Source: PVE::QemuServer::Memory, numaN.
 */
export const numaSettings = ({ numa }: Vm): readonly Setting[] =>
  (numa ?? []).map((node, index) => [
    `numa${index}`,
    propertyString([
      ["cpus", node.cpus.replaceAll(",", ";")],
      ["hostnodes", node.hostNode],
      ["memory", mebibytes(node.memory)],
      ["policy", node.hostNode === undefined ? undefined : (node.policy ?? "bind")],
    ]),
  ]);
