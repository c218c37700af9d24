import { existsSync } from "node:fs";
import type { Check, Finding } from "../check.ts";
import { cardsOf } from "../facts/index.ts";
import type { CardAtHost } from "../facts/index.ts";
import { aboutCard } from "./about-card.ts";

const ID = "cards.present";

/** Whether each card of the spec is there, at its address, and is what the spec says it is. */
export const presence: Check = {
  id: ID,
  title: "Cards at their addresses",
  look: (subject): readonly Finding[] =>
    cardsOf(subject).map((card) =>
      card.observed === undefined
        ? absent(card, existsSync(`${subject.view.root}sys/bus/pci/devices`))
        : there(card),
    ),
};

function absent(card: CardAtHost, hasBus: boolean): Finding {
  const about = aboutCard(ID, card);
  if (!hasBus)
    return {
      ...about,
      state: "unknown",
      seen: "/sys/bus/pci is not to be seen here; look on the host itself",
    };
  const stands = card.stranger === undefined ? "nothing stands there" : `${card.stranger} stands there`;
  return {
    ...about,
    state: "error",
    seen: card.wantedSlot === undefined ? "no such card is on the bus" : `it is not on the bus; ${stands}`,
    wanted: `${card.gpu?.model ?? "the card"}${card.wantedSlot === undefined ? "" : ` at ${card.wantedSlot}`}`,
    why: "What is planned for it cannot run.",
    remedy:
      "lspci -Dnn -d 10de: lists what is there. If it was there before: power off, look at its seat, riser and power cables.",
  };
}

function there(card: CardAtHost): Finding {
  const about = aboutCard(ID, card);
  const name = `${card.observed?.name ?? "a card"} at ${card.slot ?? "?"}`;
  if (card.wantedSlot !== undefined && card.slot !== undefined && card.slot !== card.wantedSlot)
    return {
      ...about,
      state: "error",
      seen: `it is at ${card.slot} now; at ${card.wantedSlot} stands ${card.stranger ?? "nothing"}`,
      wanted: card.wantedSlot,
      why: "Addresses move when cards or disks are added; what names the old one (VM, switch script, mapping) takes whatever stands there.",
      remedy: `pci: "${card.slot}" in omni.yaml, then ./omni apply --to metal`,
    };
  const missing = (card.gpu?.ids ?? []).filter((id) => !card.functions.some((fn) => fn.id === id));
  if (missing.length > 0 && card.functions.length > 0)
    return {
      ...about,
      state: "error",
      seen: `its functions are ${card.functions.map(({ id }) => id).join(", ")}`,
      wanted: missing.join(", "),
      why: "vfio-pci takes devices by these ids; one that no function has leaves the card with the host's driver.",
      remedy: `ids: [${card.functions.map(({ id }) => `"${id}"`).join(", ")}] in omni.yaml`,
    };
  const silent = card.gpu?.audio !== false && card.passed && card.functions.length === 1;
  if (silent && card.gpu?.audio === true)
    return {
      ...about,
      state: "warning",
      seen: `${name} has one function`,
      wanted: "a function for sound beside it",
      why: "The spec says that it has one, and scripts would wait for it.",
      remedy: "audio: false in omni.yaml",
    };
  return { ...about, state: "ok", seen: name };
}
