import type { AnswerTurn, Call, Turn, UserTurn } from "./turn.ts";

/** One conversation with one route. Two of them side by side compare. */
export interface Lane {
  readonly id: string;
  readonly model: string;
  readonly turns: readonly Turn[];
}

/** The lane with this answer in the place of its earlier state; answers that are no longer part of it change nothing. */
export function withAnswer(lane: Lane, answer: AnswerTurn): Lane {
  const at = lane.turns.findLastIndex(({ id }) => id === answer.id);
  return at < 0 ? lane : { ...lane, turns: lane.turns.with(at, answer) };
}

/** The lane up to a user's turn, which is said otherwise now: what followed was an answer to something else. */
export function withEdited(lane: Lane, at: number, said: UserTurn): Lane {
  return { ...lane, turns: [...lane.turns.slice(0, at), said] };
}

/** The lane without its last answers: the user's last turn is to be answered anew. */
export function withoutAnswer(lane: Lane): Lane {
  const at = lane.turns.findLastIndex(({ role }) => role === "user");
  return { ...lane, turns: lane.turns.slice(0, at + 1) };
}

/** The lane with what a person decided about a call that waits. */
export function withDecision(lane: Lane, call: string, agreed: boolean): Lane {
  const decide = (one: Call): Call =>
    one.id === call && one.state === "asked" ? { ...one, state: agreed ? "agreed" : "declined" } : one;
  return {
    ...lane,
    turns: lane.turns.map((turn) =>
      turn.role === "user"
        ? turn
        : {
            ...turn,
            parts: turn.parts.map((part) =>
              part.kind === "call" ? { ...part, call: decide(part.call) } : part,
            ),
          },
    ),
  };
}

/** Whether a call of the lane waits for a person. */
export const waitsForDecision = ({ turns }: Lane): boolean =>
  turns.some(
    (turn) =>
      turn.role === "assistant" &&
      turn.parts.some((part) => part.kind === "call" && part.call.state === "asked"),
  );
