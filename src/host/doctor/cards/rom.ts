import { existsSync, readFileSync } from "node:fs";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { hostParts, readRomImages } from "../facts/index.ts";
import type { CardAtHost } from "../facts/index.ts";
import { aboutCard, passedCards } from "./about-card.ts";

const ID = "cards.rom";
/** Proxmox puts this before every romfile. Source: qemu-server PCI.pm. */
const FOLDER = "/usr/share/kvm/";
const UEFI = 3;

/** Whether the ROM image that a guest is given is there, whole, and this card's. */
export const rom: Check = {
  id: ID,
  title: "ROM images",
  look: (subject): readonly Finding[] =>
    passedCards(subject).flatMap((card) => {
      const wish = romOf(subject, card);
      return wish === undefined ? [] : [judge(subject.view.root, card, wish)];
    }),
};

interface RomWish {
  readonly file: string;
  readonly uefi: boolean;
}

/** Of the VM's slot, else of the card. */
function romOf(subject: DoctorSubject, { name, gpu }: CardAtHost): RomWish | undefined {
  const slots = (hostParts(subject)?.vms ?? []).flatMap(({ vm }) =>
    Object.values(vm.hostpci ?? {}).map((slot) => ({ ...slot, uefi: vm.firmware !== "seabios" })),
  );
  const slot = slots.find((each) => each.gpu === name);
  const file = slot?.romFile ?? gpu?.romFile;
  return file === undefined ? undefined : { file, uefi: slot?.uefi ?? true };
}

function judge(root: string, card: CardAtHost, { file, uefi }: RomWish): Finding {
  const about = {
    ...aboutCard(ID, card),
    path: `${card.path ?? ""}.romFile`,
    source: "qemu-server PCI.pm; PCI Firmware Specification",
  };
  const name = file.startsWith("/") ? file : FOLDER + file;
  const dump = `Read it from the card on the host: echo 1 > rom; cat rom > ${name}; echo 0 > rom   # in /sys/bus/pci/devices/${card.slot ?? ""}.0`;
  if (file.startsWith("/") && !file.startsWith(FOLDER))
    return {
      ...about,
      state: "error",
      seen: `romFile is ${file}`,
      wanted: `a name in ${FOLDER}`,
      why: `Proxmox looks for ${FOLDER}${file.slice(1)}, and the VM does not start.`,
      remedy: `Copy it there and write romFile: ${file.split("/").at(-1) ?? ""}`,
    };
  if (!existsSync(root + name.slice(1)))
    return {
      ...about,
      state: "error",
      seen: `${name} is not there`,
      wanted: "the card's ROM image",
      why: "The VM does not start.",
      remedy: dump,
    };
  const images = readRomImages(readFileSync(root + name.slice(1)));
  if (typeof images === "string")
    return {
      ...about,
      state: "error",
      seen: `${name} is no ROM image: ${images}`,
      wanted: "an image that begins with 55 aa",
      why: "The guest's firmware skips it, and the card shows nothing or does not start.",
      remedy: dump,
    };
  const ids = [...new Set(images.map(({ id }) => id))];
  const own = card.functions[0]?.id ?? "";
  if (!ids.includes(own))
    return {
      ...about,
      state: "error",
      seen: `${name} is for ${ids.join(", ")}`,
      wanted: own,
      why: "It is the ROM of another card: its start-up code would be run on this one.",
      remedy: dump,
    };
  if (uefi && !images.some(({ codeType }) => codeType === UEFI))
    return {
      ...about,
      state: "warning",
      seen: `${name} has no UEFI image`,
      wanted: "one with a UEFI image (code type 3)",
      why: "A guest with OVMF cannot use it.",
      remedy: dump,
    };
  return { ...about, state: "ok", seen: `${name} is for ${own}` };
}
