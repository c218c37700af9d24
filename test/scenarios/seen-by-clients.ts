import type { ClientAnswer } from "../../src/chaos/client-answer.ts";

/** What clients saw of a node. */
export interface Seen {
  readonly answered: number;
  /** Answers that broke off and said so. */
  readonly cut: number;
  /** What must never be, each in words: refused or never answered, or ended as if it were whole. */
  readonly lost: readonly string[];
}

export const seenBy = (answers: readonly Pick<ClientAnswer, "outcome" | "detail">[]): Seen => ({
  answered: answers.filter(({ outcome }) => outcome === "answered").length,
  cut: answers.filter(({ outcome }) => outcome === "cut").length,
  lost: answers
    .filter(({ outcome }) => outcome !== "answered" && outcome !== "cut")
    .map(({ outcome, detail }) => `${outcome}: ${detail ?? ""}`),
});
