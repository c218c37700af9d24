import { useCallback, useEffect, useState } from "react";
import type { Answer, OperationName } from "../../../src/api/contract/index.ts";
import { ask } from "./ask.ts";
import type { Asked } from "./ask.ts";

/** An answer on its way, there, or not to be had. While it is asked for again the last one stays. */
export interface AnswerState<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  readonly busy: boolean;
  readonly again: () => void;
}

interface Answered<T> {
  /** The question that this is the answer to; `undefined` before the first. */
  readonly question: string | undefined;
  readonly value: T | undefined;
  readonly error: unknown;
}

const UNANSWERED = { question: undefined, value: undefined, error: undefined };

/** Asks an operation once, and again when what is asked changes or `again` is called. `undefined` asks nothing. */
export function useAnswer<Name extends OperationName>(
  name: Name,
  asked: Omit<Asked<Name>, "signal"> | undefined = {},
): AnswerState<Answer<Name>> {
  const [round, setRound] = useState(0);
  const [answered, setAnswered] = useState<Answered<Answer<Name>>>(UNANSWERED);
  // What is asked is plain data: its text says when it is another question.
  const wanted = asked === undefined ? undefined : JSON.stringify(asked);
  const question = `${name} ${wanted ?? ""} ${round}`;
  useEffect(() => {
    if (wanted === undefined) return undefined;
    const gone = new AbortController();
    const options: Asked<Name> = JSON.parse(wanted);
    ask(name, { ...options, signal: gone.signal }).then(
      (value) => setAnswered({ question, value, error: undefined }),
      (error: unknown) => {
        if (!gone.signal.aborted) setAnswered(({ value }) => ({ question, value, error }));
      },
    );
    return () => gone.abort();
  }, [name, wanted, question]);
  const again = useCallback(() => setRound((last) => last + 1), []);
  const { value, error } = answered;
  return { value, error, busy: wanted !== undefined && answered.question !== question, again };
}
