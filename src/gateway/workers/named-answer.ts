import { messageOf } from "../../core/index.ts";
import type { Outcome } from "./protocol.ts";

/** Answers what the other side asks by name; what it throws is told as an error. Plain data both ways. */
export type Answer = (input: unknown) => unknown;

/** What a named answer gives, or why it gives none. */
export async function outcomeOf(answer: Answer | undefined, what: string, input: unknown): Promise<Outcome> {
  if (answer === undefined) return { error: `There is nobody who answers "${what}".` };
  try {
    return { value: (await answer(input)) ?? null };
  } catch (thrown) {
    return { error: messageOf(thrown) };
  }
}
