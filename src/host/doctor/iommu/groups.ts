import { namesIn } from "../../../inventory/folder.ts";
import type { Check, Finding } from "../check.ts";
import { cardsOf, readPciFunction } from "../facts/index.ts";
import type { CardAtHost, PciFunction } from "../facts/index.ts";

const ID = "iommu.groups";

/** Whether all that shares a group with a card that is handed over is handed over too. Bridges stay with the host. */
export const groups: Check = {
  id: ID,
  title: "IOMMU groups",
  look(subject): readonly Finding[] {
    const cards = cardsOf(subject).filter(({ passed }) => passed);
    const slots = new Set(cards.map(({ slot }) => slot));
    return cards.flatMap((card) =>
      card.functions.length === 0 ? [] : [judge(subject.view.root, card, slots)],
    );
  },
};

function judge(root: string, card: CardAtHost, slots: ReadonlySet<string | undefined>): Finding {
  const numbers = [...new Set(card.functions.flatMap(({ group }) => group ?? []))];
  const about = {
    check: ID,
    subject: card.subject,
    ...(card.path === undefined ? {} : { path: card.path }),
  } as const;
  if (numbers.length === 0)
    return { ...about, state: "unknown", seen: "the kernel put it into no IOMMU group (is the IOMMU on?)" };
  const members = numbers.flatMap((number) =>
    namesIn(`${root}sys/kernel/iommu_groups/${number}/devices`).map((address) =>
      readPciFunction(root, address),
    ),
  );
  const strangers = members.filter(({ bridge, slot }) => !bridge && !slots.has(slot));
  const group = numbers.length === 1 ? `group ${numbers[0] ?? ""}` : `groups ${numbers.join(", ")}`;
  const others = members.filter(({ slot }) => slot !== card.slot && slots.has(slot));
  if (strangers.length === 0)
    return {
      ...about,
      state: "ok",
      seen:
        others.length === 0
          ? `${group} holds this card alone`
          : `${group} holds cards that all are handed over`,
    };
  return {
    ...about,
    state: "error",
    seen: `${group} also holds ${strangers.map(inWords).join("; ")}`,
    wanted: "only functions of cards that are handed over, and bridges",
    why: "A group goes to a guest as a whole: vfio refuses it while the host uses any of it, and Proxmox takes all of it from the host.",
    remedy:
      "Put the card into another slot (one of the processor's own), turn ACS on in the BIOS, or hand the others over too.",
    source: "Linux Documentation/driver-api/vfio.rst",
  };
}

const inWords = ({ address, id, class: kind, driver }: PciFunction): string =>
  `${address} (${KINDS.get(kind.slice(0, 6)) ?? `class ${kind}`} ${id}, ${driver ?? "no driver"})`;

const KINDS: ReadonlyMap<string, string> = new Map([
  ["0x0101", "IDE controller"],
  ["0x0106", "SATA controller"],
  ["0x0107", "SAS controller"],
  ["0x0108", "NVMe disk"],
  ["0x0200", "network card"],
  ["0x0300", "graphics card"],
  ["0x0302", "3D controller"],
  ["0x0403", "sound"],
  ["0x0c03", "USB controller"],
]);
