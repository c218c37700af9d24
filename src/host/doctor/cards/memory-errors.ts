import type { Check, Finding } from "../check.ts";
import type { CardAtHost, CardHealth } from "../facts/index.ts";
import { aboutCard, healthOfCards } from "./about-card.ts";

const ID = "cards.memory-errors";

/** Errors of the cards' memory, and repairs that wait for a reset. Cards without ECC tell nothing. */
export const memoryErrors: Check = {
  id: ID,
  title: "Memory of the cards",
  async look(subject): Promise<readonly Finding[]> {
    const cards = await healthOfCards(subject);
    return cards.flatMap(({ card, health }) => judge(card, health));
  },
};

function judge(card: CardAtHost, health: CardHealth): readonly Finding[] {
  const about = aboutCard(ID, card);
  const { rowsFailed, rowsPending, pagesPending, uncorrected, uncorrectedEver, rowsRemapped } = health;
  const reset = `Stop everything that uses the card, then nvidia-smi --gpu-reset -i ${health.uuid ?? health.pci}; or reboot.`;
  const source = "NVIDIA GPU Memory Error Management";
  if (rowsFailed === true)
    return [
      {
        ...about,
        state: "error",
        seen: "a row of its memory could not be remapped",
        wanted: "no failed remapping",
        why: "The spare rows of that bank are used up: the card gives wrong results or stops again and again.",
        remedy: "Take it out of service: nvidia-smi -q -d ROW_REMAPPER; ask for a replacement (RMA).",
        source,
      },
    ];
  if (rowsPending === true || pagesPending === true)
    return [
      {
        ...about,
        state: "warning",
        seen: rowsPending === true ? "a remapped row is pending" : "a retired page is pending",
        wanted: "nothing pending",
        why: "A faulty place of its memory is in use until the card is reset.",
        remedy: reset,
        source,
      },
    ];
  if (uncorrected !== undefined && uncorrected > 0)
    return [
      {
        ...about,
        state: "error",
        seen: `${uncorrected} errors of its memory since the driver was loaded that could not be corrected`,
        wanted: "0",
        why: "Programs that used these places were stopped or have computed with wrong numbers.",
        remedy: reset,
        source,
      },
    ];
  const repaired = rowsRemapped !== undefined && rowsRemapped > 0 ? `, ${rowsRemapped} rows remapped` : "";
  if ((uncorrectedEver ?? 0) > 0 || repaired !== "")
    return [
      {
        ...about,
        state: "note",
        seen: `${uncorrectedEver ?? 0} errors in its life that could not be corrected${repaired}`,
        why: "They were repaired; if the number grows, the card wears out.",
        remedy: "nvidia-smi -q -d ECC,ROW_REMAPPER   # now and then",
        source,
      },
    ];
  return uncorrected === undefined
    ? []
    : [{ ...about, state: "ok", seen: "no error that could not be corrected" }];
}
