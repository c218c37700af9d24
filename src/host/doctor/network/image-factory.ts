import { guestsHere } from "../scope.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";

const ID = "network.image-factory";

/** Factories that the spec's Talos images come from. */
export const factoriesOf = (subject: DoctorSubject): readonly string[] => [
  ...new Set(
    guestsHere(subject).flatMap(({ talos }) =>
      talos?.factory === undefined ? [] : [talos.factory.replace(/\/+$/, "")],
    ),
  ),
];

/** The factory answers, so that an image of the spec's extensions can be made. */
export const imageFactory: Check = {
  id: ID,
  title: "Talos image factory",
  look: async (subject) => Promise.all(factoriesOf(subject).map((factory) => findingOf(subject, factory))),
};

async function findingOf({ network }: DoctorSubject, factory: string): Promise<Finding> {
  const base = { check: ID, subject: factory } as const;
  const answer = await network.ask(`${factory}/versions`);
  if (answer.answered && answer.status < 400)
    return { ...base, state: "ok", seen: `answers in ${Math.round(answer.milliseconds)} ms` };
  return {
    ...base,
    state: "warning",
    seen: answer.answered ? `answers ${answer.status}` : answer.message,
    wanted: "its list of versions",
    why: "Nodes that run go on, but no image can be made, and no node upgraded or installed.",
    remedy: `curl -i ${factory}/versions; the schematic's id itself is computed here, without it`,
  };
}
