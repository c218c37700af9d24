import type { Check, Finding } from "../check.ts";
import { aboutCard, healthOfCards } from "./about-card.ts";

const ID = "cards.persistence";

/** Whether the driver keeps cards of this host awake between programs. Cards of guests are the guest's matter. */
export const persistence: Check = {
  id: ID,
  title: "Persistence mode",
  async look(subject): Promise<readonly Finding[]> {
    const cards = await healthOfCards(subject);
    return cards.flatMap(({ card, health }): readonly Finding[] => {
      if (health.persistence === undefined || card.passed) return [];
      const about = aboutCard(ID, card);
      if (health.persistence) return [{ ...about, state: "ok", seen: "persistence mode is on" }];
      return [
        {
          ...about,
          state: "warning",
          seen: "persistence mode is off",
          wanted: "on",
          why: "Each first program waits seconds for the card to be started anew, and power limits are forgotten in between.",
          remedy:
            "systemctl enable --now nvidia-persistenced   # ./omni doctor --fix turns it on until the next boot",
          fix: {
            title: `Turn persistence mode on for ${card.subject}.`,
            changes: [
              {
                kind: "run",
                argv: ["nvidia-smi", "-i", health.uuid ?? health.pci, "-pm", "1"],
                timeout: 30_000,
              },
            ],
            needsReboot: false,
          },
          source: "NVIDIA driver persistence",
        },
      ];
    });
  },
};
