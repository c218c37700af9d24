import type { Check, Finding } from "../check.ts";
import { askCardHealth, cardsOf } from "../facts/index.ts";
import { aboutCard } from "./about-card.ts";

const ID = "cards.driver-answers";

/** Whether nvidia-smi tells about each card that the NVIDIA driver has: without it health cannot be judged. */
export const driverAnswers: Check = {
  id: ID,
  title: "Driver answers",
  async look(subject): Promise<readonly Finding[]> {
    const cards = cardsOf(subject).filter(({ functions }) => functions[0]?.driver === "nvidia");
    if (cards.length === 0) return [];
    const told = await askCardHealth(subject.view);
    if (told === undefined)
      return cards.map((card) => ({
        ...aboutCard(ID, card),
        state: "unknown",
        seen: "the NVIDIA driver has it and there is no nvidia-smi, so that errors, temperature and limits are not known",
        remedy:
          "Install nvidia-smi of the driver's own version (Debian: nvidia-smi; Talos: look in the pod of the device plugin).",
      }));
    if (typeof told === "string")
      return cards.map((card) => ({
        ...aboutCard(ID, card),
        state: "error",
        seen: `nvidia-smi: ${told}`,
        wanted: "an answer",
        why: "No engine can use a card whose driver does not answer.",
        remedy:
          "dmesg | grep -i -e NVRM -e xid; versions of module and library must match; after an update reboot.",
      }));
    return cards.map((card) =>
      told.has(card.observed?.pci ?? "")
        ? { ...aboutCard(ID, card), state: "ok", seen: "nvidia-smi lists it" }
        : {
            ...aboutCard(ID, card),
            state: "error",
            seen: "the NVIDIA driver has it and nvidia-smi does not list it",
            wanted: "a card that the driver can use",
            why: "The driver could not start it: the wrong flavour of kernel modules (Blackwell needs the open ones), or a fault of the card.",
            remedy: "dmesg | grep NVRM",
            source: "NVIDIA README, kernel_open",
          },
    );
  },
};
