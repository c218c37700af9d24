import { formatBytes, GIB, MIB } from "../../../core/index.ts";
import type { Check, Finding } from "../check.ts";
import { cardsOf } from "../facts/index.ts";
import type { CardAtHost } from "../facts/index.ts";
import { aboutCard } from "./about-card.ts";

const ID = "cards.bars";
/** Size of the window into a card's memory without Resizable BAR. */
const SMALL_WINDOW = 256 * MIB;
const LOW = 4 * GIB;

/** The windows into each card's memory: whether they have an address, and how much of the memory they show. */
export const bars: Check = {
  id: ID,
  title: "Windows into cards' memory (BARs)",
  look: (subject): readonly Finding[] =>
    cardsOf(subject).flatMap((card) =>
      card.observed?.vendor === "nvidia" && card.functions.some(({ bars }) => bars.length > 0)
        ? [judge(card)]
        : [],
    ),
};

function judge(card: CardAtHost): Finding {
  const about = aboutCard(ID, card);
  const all = card.functions[0]?.bars ?? [];
  const homeless = all.filter(({ assigned }) => !assigned);
  const window = all.filter(({ wide }) => wide).toSorted((one, other) => other.size - one.size)[0];
  if (homeless.length > 0)
    return {
      ...about,
      state: "error",
      seen: homeless
        .map(({ number, size }) => `BAR ${number} (${formatBytes(size)}) has no address`)
        .join("; "),
      wanted: "an address for each window",
      why: "The driver cannot reach the card's memory: it does not start, or the guest does not.",
      remedy: 'Turn "Above 4G decoding" on in the BIOS; pci=realloc on the boot line helps some boards.',
    };
  if (window !== undefined && window.start < LOW && window.size >= SMALL_WINDOW)
    return {
      ...about,
      state: "note",
      seen: `BAR ${window.number} (${formatBytes(window.size)}) lies below 4 GiB`,
      why: "Above 4G decoding seems to be off: a second large card finds no room.",
      remedy: 'Turn "Above 4G decoding" on in the BIOS.',
    };
  const shown =
    window === undefined ? "no large window" : `BAR ${window.number} shows ${formatBytes(window.size)}`;
  if (window !== undefined && window.size <= SMALL_WINDOW)
    return {
      ...about,
      state: "note",
      seen: shown,
      wanted: "all of the card's memory",
      why: "Resizable BAR is off: copies to the card go through a small window, and direct traffic between cards is not possible.",
      remedy: 'Turn "Resizable BAR" on in the BIOS (with CSM off).',
    };
  return { ...about, state: "ok", seen: shown };
}
