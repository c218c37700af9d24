import type { AnswerTurn, Call, Part } from "../turn.ts";

/** The answer with more text at its end: in its last stretch where that is of the same kind, else in a new one. */
export function withText(
  answer: AnswerTurn,
  kind: "text" | "reasoning",
  text: string,
  now: number,
): AnswerTurn {
  if (text === "") return answer;
  const last = answer.parts.at(-1);
  const parts: readonly Part[] =
    last?.kind === kind
      ? [...answer.parts.slice(0, -1), { kind, text: last.text + text }]
      : [...answer.parts, { kind, text }];
  return coming({ ...answer, parts }, now);
}

/** The answer with a call, new or as it is by now. */
export function withCall(answer: AnswerTurn, call: Call, now: number): AnswerTurn {
  const known = answer.parts.some((part) => part.kind === "call" && part.call.id === call.id);
  const parts: readonly Part[] = known
    ? answer.parts.map((part) =>
        part.kind === "call" && part.call.id === call.id ? { kind: "call", call } : part,
      )
    : [...answer.parts, { kind: "call", call }];
  return coming({ ...answer, parts }, now);
}

/** Something of the answer is there: nothing is waited for any more. */
export function coming(answer: AnswerTurn, now: number): AnswerTurn {
  const { waiting: _, ...rest } = answer;
  return { ...rest, state: "coming", first: answer.first ?? now, last: now };
}

/** An answer that ended otherwise than its model wanted. What never began has failed; what had, was cut. */
export function broken(answer: AnswerTurn, code: string, message: string): AnswerTurn {
  const { waiting: _, ...rest } = answer;
  return { ...rest, state: answer.parts.length === 0 ? "failed" : "cut", error: { code, message } };
}
