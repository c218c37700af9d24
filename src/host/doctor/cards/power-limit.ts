import type { Check, Finding } from "../check.ts";
import { aboutCard, healthOfCards } from "./about-card.ts";

const ID = "cards.power-limit";

/** The power limit that is in force, beside `powerLimit` of the spec. */
export const powerLimit: Check = {
  id: ID,
  title: "Power limits",
  async look(subject): Promise<readonly Finding[]> {
    const cards = await healthOfCards(subject);
    return cards.flatMap(({ card, health }): readonly Finding[] => {
      const wanted = card.gpu?.powerLimit;
      if (wanted === undefined) return [];
      const about = { ...aboutCard(ID, card), path: `${card.path ?? ""}.powerLimit` };
      const now = health.powerLimit;
      if (now === undefined)
        return [{ ...about, state: "unknown", seen: "the driver does not tell its power limit" }];
      if (Math.abs(now - wanted) < 1) return [{ ...about, state: "ok", seen: `${now} W` }];
      const most = health.maxPowerLimit;
      const possible = most === undefined || wanted <= most;
      return [
        {
          ...about,
          state: "warning",
          seen: `${now} W`,
          wanted: `${wanted} W`,
          why:
            now > wanted
              ? "The card takes more than its power supply and cooling were planned for; the limit is lost at every reboot."
              : "The card is slower than it was planned to be.",
          remedy: possible
            ? `nvidia-smi -i ${health.uuid ?? health.pci} -pl ${wanted}   # and again at every boot`
            : `The card allows ${most} W at most: correct powerLimit in omni.yaml.`,
        },
      ];
    });
  },
};
