import type { Check, Finding } from "../check.ts";
import type { CardAtHost, CardHealth } from "../facts/index.ts";
import { aboutCard, healthOfCards } from "./about-card.ts";

const ID = "cards.throttle";
/** Where clocks start to fall on most cards. */
const HOT = 90;

/** Reasons that say something is wrong; a power cap under load is how a card is meant to work. */
const WORDS: Readonly<Record<string, string>> = {
  "hardware-slowdown": "the hardware slows it down",
  "hardware-thermal": "it is too hot (hardware)",
  "software-thermal": "it is too hot",
  "power-brake": "the power supply asks it to slow down",
};

/** Whether heat or power holds the clocks down, and the temperature beside the limit of the spec. */
export const throttle: Check = {
  id: ID,
  title: "Temperature and throttling",
  async look(subject): Promise<readonly Finding[]> {
    const most = subject.spec?.policies.watch.maxTemperature ?? HOT;
    const cards = await healthOfCards(subject);
    return cards.flatMap(({ card, health }) => judge(card, health, most));
  },
};

function judge(card: CardAtHost, { throttled, temperature }: CardHealth, most: number): readonly Finding[] {
  const about = aboutCard(ID, card);
  const reasons = (throttled ?? []).flatMap((reason) => WORDS[reason] ?? []);
  const hot = temperature !== undefined && temperature > most;
  const degrees = temperature === undefined ? "" : `${temperature} °C`;
  if (reasons.length === 0 && !hot)
    return degrees === ""
      ? []
      : [{ ...about, state: "ok", seen: `${degrees}, clocks are not held down by heat` }];
  return [
    {
      ...about,
      state: "warning",
      seen: [...(degrees === "" ? [] : [degrees]), ...reasons].join(", "),
      wanted: `${most} °C at most, and clocks that nothing holds down`,
      why: "A throttled card is slower than planned, and heat ages it.",
      remedy: reasons.some((word) => word.includes("power supply"))
        ? "Look at the power supply and its cables: one cable a connector, no splitters."
        : "Look at fans, dust and the air between the cards; or lower powerLimit in omni.yaml.",
    },
  ];
}
