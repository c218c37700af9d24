import type { Check, Finding } from "../check.ts";
import { aboutCard, passedCards } from "./about-card.ts";

const ID = "cards.boot-vga";

/** Whether a card that is handed over is the one that the firmware showed its screen on. */
export const bootVga: Check = {
  id: ID,
  title: "Card of the host's screen",
  look: (subject): readonly Finding[] =>
    passedCards(subject).map((card) => {
      const about = aboutCard(ID, card);
      if (!card.functions.some(({ bootVga }) => bootVga))
        return { ...about, state: "ok", seen: "the firmware does not show its screen on it" };
      return {
        ...about,
        state: "warning",
        seen: "the firmware shows the host's screen on it (boot_vga 1)",
        wanted: "another card for the host's screen",
        why: 'The frame buffer of the console holds its memory, so that a guest fails with "BAR: can\'t reserve", and the host is without a screen afterwards; its ROM is a copy that the firmware has changed.',
        remedy:
          "Choose the board's own graphics (BMC) or another slot as primary display in the BIOS, or give the VM a romFile.",
        source: "harvester/pcidevices#81; Linux Documentation/ABI/testing/sysfs-bus-pci, boot_vga",
      };
    }),
};
