import type { Check, DoctorSubject, Finding } from "../check.ts";
import { askCardHealth, cardsOf } from "../facts/index.ts";
import type { CardAtHost, CardHealth } from "../facts/index.ts";
import { aboutCard } from "./about-card.ts";

const ID = "cards.link";
/** Share of time from which a card is at work, and its link at full speed. */
const AT_WORK = 0.3;

/** Lanes and generation of each card's link. An idle card slows its link down, which is no fault. */
export const link: Check = {
  id: ID,
  title: "PCIe links",
  async look(subject): Promise<readonly Finding[]> {
    const told = await askCardHealth(subject.view);
    return cardsOf(subject).flatMap((card) => {
      const health = told instanceof Map ? told.get(card.observed?.pci ?? "") : undefined;
      const asleep = card.functions[0]?.powerState?.startsWith("D3") === true;
      return card.functions.length === 0 || asleep ? [] : judge(subject, card, health);
    });
  },
};

function judge(subject: DoctorSubject, card: CardAtHost, health: CardHealth | undefined): readonly Finding[] {
  const now = card.functions[0]?.link ?? {};
  // What card and slot can do together, where the inventory knows; a slot may be slower than the card.
  const possible = health?.link.maxGeneration ?? card.observed?.link?.generation ?? now.maxGeneration;
  const current = health?.link.generation ?? now.generation;
  const wanted = card.gpu?.link;
  const busy = health?.busy ?? 0;
  const faults: Faults = [
    ...fewLanes(now.lanes, wanted?.lanes, now.maxLanes),
    ...(wanted?.generation !== undefined && possible !== undefined && possible < wanted.generation
      ? [
          {
            seen: `the slot and the card agree on Gen${possible} at most`,
            wanted: `Gen${wanted.generation}`,
            state: "warning" as const,
          },
        ]
      : []),
    ...(busy >= AT_WORK && current !== undefined && current < Math.min(possible ?? 0, wanted?.generation ?? 9)
      ? [
          {
            seen: `the link runs at Gen${current} while the card is ${Math.round(busy * 100)} % busy`,
            wanted: `Gen${possible ?? ""}`,
            state: "warning" as const,
          },
        ]
      : []),
  ];
  if (faults.length === 0) {
    if (now.lanes === undefined && current === undefined) return [];
    const speed =
      current === undefined
        ? ""
        : ` Gen${current}${current < (possible ?? 0) ? ` of ${possible ?? ""}, as an idle card runs` : ""}`;
    return [{ ...aboutCard(ID, card), state: "ok", seen: `x${now.lanes ?? "?"}${speed}` }];
  }
  const state = faults.some((fault) => fault.state === "warning") ? "warning" : "note";
  return [
    {
      ...aboutCard(ID, card),
      ...(wanted === undefined || subject.host === undefined ? {} : { path: `${card.path ?? ""}.link` }),
      state,
      seen: faults.map(({ seen }) => seen).join("; "),
      wanted: [...new Set(faults.map((fault) => fault.wanted))].join(" "),
      why: "Loading models, offloaded layers and traffic between cards take as much longer as the link is narrower.",
      remedy:
        "Power off and seat the card anew; look for a riser, a slot that shares lanes with an M.2 disk, and bifurcation or the slot's generation in the BIOS.",
    },
  ];
}

type Faults = readonly {
  readonly seen: string;
  readonly wanted: string;
  readonly state: "warning" | "note";
}[];

function fewLanes(lanes: number | undefined, wanted: number | undefined, most: number | undefined): Faults {
  const expected = wanted ?? most;
  if (lanes === undefined || expected === undefined || lanes >= expected) return [];
  // Without a wish in the spec the slot may be wired so.
  const state = wanted === undefined ? "note" : "warning";
  return [{ seen: `the link runs at x${lanes}`, wanted: `x${expected}`, state }];
}
