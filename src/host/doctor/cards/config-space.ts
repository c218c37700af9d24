import type { Check, Finding } from "../check.ts";
import { cardsOf } from "../facts/index.ts";
import { aboutCard } from "./about-card.ts";

const ID = "cards.config-space";

/** Whether each function still answers: what fell off the bus reads as all ones. */
export const configSpace: Check = {
  id: ID,
  title: "Cards answer",
  look: (subject): readonly Finding[] =>
    cardsOf(subject).flatMap((card): readonly Finding[] => {
      if (card.functions.length === 0) return [];
      const dead = card.functions.filter(({ silent }) => silent);
      if (dead.length === 0)
        return [{ ...aboutCard(ID, card), state: "ok", seen: "its configuration can be read" }];
      return [
        {
          ...aboutCard(ID, card),
          state: "error",
          seen: `the configuration of ${dead.map(({ address }) => address).join(" and ")} reads 0xffffffff`,
          wanted: "a card that answers",
          why: "The card has fallen off the bus: nothing reaches it, and the next access may hang the host.",
          remedy:
            "Shut the guests down and switch the power off for a moment, a warm reboot is often not enough; if it comes back so, look at power cables, riser and temperature.",
          source: "Linux PCI: reads of a device that is gone return all ones",
        },
      ];
    }),
};
