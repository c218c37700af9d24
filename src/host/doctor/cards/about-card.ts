import { findGpu, findPciGpu } from "../../../catalog/index.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { askCardHealth, cardsOf } from "../facts/index.ts";
import type { CardAtHost, CardHealth } from "../facts/index.ts";

/** What every finding about a card begins with. */
export const aboutCard = (
  check: Check["id"],
  card: CardAtHost,
): Pick<Finding, "check" | "subject" | "path"> => ({
  check,
  subject: card.subject,
  ...(card.path === undefined ? {} : { path: card.path }),
});

/** Cards that are found and handed to a guest, which is where most can go wrong. */
export const passedCards = (subject: DoctorSubject): readonly CardAtHost[] =>
  cardsOf(subject).filter(({ passed, functions }) => passed && functions.length > 0);

/** Cards that the NVIDIA driver of the host tells about, each with what it tells. */
export async function healthOfCards(
  subject: DoctorSubject,
): Promise<readonly { readonly card: CardAtHost; readonly health: CardHealth }[]> {
  const told = await askCardHealth(subject.view);
  if (told === undefined || typeof told === "string") return [];
  return cardsOf(subject).flatMap((card) => {
    const health = told.get(card.observed?.pci ?? "");
    return health === undefined ? [] : [{ card, health }];
  });
}

/** Whether it is of NVIDIA's Blackwell generation, by the spec or its PCI id. */
export function isBlackwell({ gpu, observed }: CardAtHost): boolean {
  const names = [gpu?.model, ...(findPciGpu(observed?.pciId ?? "")?.models ?? [])];
  return names.some((name) => name !== undefined && findGpu(name)?.architecture === "blackwell");
}
