import type { Check, DoctorSubject, Finding } from "../check.ts";
import { cardsOf, hostParts } from "../facts/index.ts";
import type { CardAtHost, PciFunction } from "../facts/index.ts";
import { aboutCard } from "./about-card.ts";

const ID = "cards.driver";

/** Which driver has each function, and whether one has them all: a card that is half handed over belongs to nobody. */
export const boundDriver: Check = {
  id: ID,
  title: "Drivers of the cards",
  look: (subject): readonly Finding[] =>
    cardsOf(subject).flatMap((card) => {
      const functions = card.functions.filter(({ bridge }) => !bridge);
      return functions.length === 0 ? [] : [judge(subject, card, functions)];
    }),
};

const boundTo = (functions: readonly PciFunction[]): string =>
  functions.map(({ address, driver }) => `${address}: ${driver ?? "no driver"}`).join(", ");

function judge(subject: DoctorSubject, card: CardAtHost, functions: readonly PciFunction[]): Finding {
  const about = aboutCard(ID, card);
  const seen = boundTo(functions);
  const handed = functions.filter(({ driver }) => driver === "vfio-pci");
  if (handed.length > 0 && handed.length < functions.length)
    return {
      ...about,
      state: "error",
      seen,
      wanted: "all functions with vfio-pci, or none",
      why: "The card is half-bound: its group cannot go to a guest, and the host cannot use it either.",
      remedy: switchCommand(card, wantedDriver(subject, card) === "nvidia" ? "nvidia" : "vfio"),
      source: "Linux Documentation/driver-api/vfio.rst: a group is handed over as a whole",
    };
  const wanted = wantedDriver(subject, card);
  const display = functions[0]?.driver;
  if (wanted === undefined || display === wanted) return { ...about, state: "ok", seen };
  // A guest that runs holds its cards by vfio-pci, whoever has them otherwise.
  if (card.passed && display === "vfio-pci") return { ...about, state: "ok", seen };
  return {
    ...about,
    state: wanted === "vfio-pci" ? "error" : "warning",
    seen,
    wanted,
    why:
      wanted === "vfio-pci"
        ? "The host's driver took the card at boot: the guest gets it only after it was let go, which can hang."
        : `Without ${wanted} the card is of no use to what runs on this host.`,
    remedy:
      wanted === "vfio-pci"
        ? "./omni apply --to metal   # early binding; then reboot"
        : switchCommand(card, "nvidia"),
  };
}

const switchCommand = (card: CardAtHost, to: "vfio" | "nvidia"): string =>
  `./omni gpu bind ${to} ${card.name ?? card.slot ?? ""} --dry-run   # shows it; without --dry-run it is done`;

/** What the spec says; by passthrough otherwise. With `bind: switch` either side may have a card that is handed over. */
function wantedDriver(
  subject: DoctorSubject,
  { gpu, passed, name, observed }: CardAtHost,
): string | undefined {
  if (gpu?.driver !== undefined) return gpu.driver;
  if (passed) return hostParts(subject)?.bind === "early" ? "vfio-pci" : "nvidia";
  const used = subject.deployment?.services.some(
    ({ machine, cards, runtime }) =>
      runtime !== "kubernetes" && machine === subject.host?.name && cards.some((card) => card.name === name),
  );
  return used === true && observed?.vendor === "nvidia" ? "nvidia" : undefined;
}
