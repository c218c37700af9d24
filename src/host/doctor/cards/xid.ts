import { recoveryFor } from "../../../watch/describe-fault.ts";
import { readKernelLine } from "../../../watch/kernel-log/xid-line.ts";
import type { KernelWord } from "../../../watch/kernel-log/xid-line.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { cardsOf, readKernelLog } from "../facts/index.ts";
import type { CardAtHost, KernelLogLine } from "../facts/index.ts";
import { aboutCard } from "./about-card.ts";
import { XID_TITLES } from "./xid-titles.ts";

const ID = "cards.xid";
const SOURCE = "https://docs.nvidia.com/deploy/xid-errors/";

interface Heard {
  readonly word: KernelWord;
  readonly line: KernelLogLine;
}

/** Faults of cards in the kernel's log: of this boot, and those of two weeks that a reboot has ended. */
export const xid: Check = {
  id: ID,
  title: "Xid history",
  async look(subject): Promise<readonly Finding[]> {
    const cards = cardsOf(subject).filter(({ observed }) => observed?.vendor === "nvidia");
    if (cards.length === 0) return [];
    const log = await readKernelLog(subject.view);
    if (!log.readable)
      return [
        {
          check: ID,
          state: "unknown",
          seen: `the kernel's log cannot be read: ${log.why}`,
          remedy: "Run doctor as root, or join the group systemd-journal (or adm).",
        },
      ];
    const heard = log.lines.flatMap((line): readonly Heard[] => {
      const word = readKernelLine(line.text);
      return word === undefined ? [] : [{ word, line }];
    });
    const faults = [...Map.groupBy(heard, keyOf).values()].map((group) => tell(subject, cards, group));
    const since = log.from === "journal" ? "of the last two weeks" : "since the last boot";
    return faults.length > 0 ? faults : [{ check: ID, state: "ok", seen: `no Xid ${since}` }];
  },
};

const keyOf = ({ word, line }: Heard): string =>
  `${word.pci} ${word.kind === "xid" ? word.xid : word.kind} ${line.thisBoot}`;

function tell(subject: DoctorSubject, cards: readonly CardAtHost[], group: readonly Heard[]): Finding {
  const last = group.at(-1);
  const word = last?.word;
  const card = cards.find(
    ({ slot, wantedSlot }) => (slot ?? wantedSlot) === word?.pci.replace(/\.[0-7]$/, ""),
  );
  const about = card === undefined ? { check: ID, subject: word?.pci ?? "" } : aboutCard(ID, card);
  const code = word?.kind === "xid" ? word.xid : 79;
  const { action, advice } = recoveryFor(code, word?.text);
  const times = group.length === 1 ? "once" : `${group.length} times`;
  const over = last?.line.thisBoot === false;
  const ago = last?.line.at === undefined ? "" : `, last ${ageOf(subject.now - last.line.at)} ago`;
  const title = XID_TITLES.get(code);
  const grave = !["none", "watch", "restart-app"].includes(action);
  return {
    ...about,
    state: over || action === "none" ? "note" : grave ? "error" : "warning",
    seen: `Xid ${code} ${times}${over ? " before the last boot" : ""}${ago}${title === undefined ? "" : `: ${title}`}`,
    ...(over ? {} : { why: word?.text ?? "" }),
    remedy:
      over && grave
        ? "Look whether it comes back; if it does, look at the card's power, seat and temperature."
        : advice.replace("<card>", card?.observed?.uuid ?? word?.pci ?? ""),
    source: SOURCE,
  };
}

/** Whole days, hours or minutes. */
function ageOf(milliseconds: number): string {
  const minutes = Math.max(0, Math.round(milliseconds / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}
