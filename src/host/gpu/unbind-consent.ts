import { OmniError } from "../../core/index.ts";
import type { CardFacts } from "./card-facts.ts";

/** What an owner agreed to on the command line. */
export interface GivenConsent {
  readonly yes: boolean;
  /** `unbind:GPU-…` or `unbind:0000:f1:00.0`. */
  readonly tokens: readonly string[];
}

/** A reason for which taking a card away needs a consent, and the option of the script that it unlocks. */
interface Reason {
  readonly option: "--force-boot-vga" | "--force-control-nodes" | "--stop-persistenced";
  readonly text: string;
}

const isPersistenced = (program: string): boolean => program.startsWith("nvidia-persiste");

/**
 * Options of the script that the consent for these cards unlocks. Throws `OmniError` `gpu.consent` where one is missing.
 * A card that a program or a VM really has open is not among them: there the script refuses, whatever is agreed to, because
 * an unbind under an open file never returns from the kernel.
 */
export function unlockedOptions(
  cards: readonly CardFacts[],
  toVfio: boolean,
  consent: GivenConsent,
): readonly string[] {
  const needed = cards.flatMap((card) => {
    const reasons = reasonsOf(card, toVfio);
    return reasons.length === 0 ? [] : [{ card, reasons }];
  });
  const held = cards.some(({ users }) => users.some(isHolder));
  if (held) return [];
  for (const { card, reasons } of needed) {
    if (consent.yes && namesOf(card).some((name) => consent.tokens.includes(`unbind:${name}`))) continue;
    const token = `unbind:${card.uuid ?? card.slot}`;
    throw new OmniError(
      "gpu.consent",
      `${card.name} (${card.slot}) is not free: ${reasons.map(({ text }) => text).join("; ")}. Nothing was moved.`,
      { hint: `If that is meant: add --yes --consent ${token}` },
    );
  }
  return [...new Set(needed.flatMap(({ reasons }) => reasons.map(({ option }) => option)))];
}

const namesOf = ({ uuid, slot }: CardFacts): readonly string[] => [
  slot,
  `${slot}.0`,
  ...(uuid === undefined ? [] : [uuid]),
];

/** Who has the card itself open; no consent takes it away from them. */
const isHolder = ({ kind, program }: CardFacts["users"][number]): boolean =>
  kind !== "control" && !isPersistenced(program);

function reasonsOf({ functions, users }: CardFacts, toVfio: boolean): readonly Reason[] {
  const reasons: Reason[] = [];
  if (toVfio && functions.some(({ bootVga }) => bootVga))
    reasons.push({
      option: "--force-boot-vga",
      text: "the firmware booted with it, so the host's screen goes dark until a reboot",
    });
  const persistenced = users.find(({ program }) => isPersistenced(program));
  if (persistenced !== undefined)
    reasons.push({
      option: "--stop-persistenced",
      text: `${persistenced.program} (PID ${persistenced.pid}) keeps it initialised and would be stopped for the switch`,
    });
  const controls = users.filter(({ kind, program }) => kind === "control" && !isPersistenced(program));
  if (controls.length > 0)
    reasons.push({
      option: "--force-control-nodes",
      text: `${[...new Set(controls.map(({ pid, program }) => `PID ${pid} (${program})`))].join(", ")} may use it through a node of all NVIDIA cards`,
    });
  return reasons;
}
