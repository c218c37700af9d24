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

/** Asks an operation once, and again when what is asked changes or `again` is called. `undefined` asks nothing. */
export function useAnswer<Name extends OperationName>(
  name: Name,
  asked: Omit<Asked<Name>, "signal"> | undefined = {},
): AnswerState<Answer<Name>> {
  const [round, setRound] = useState(0);
  const [state, setState] = useState<Omit<AnswerState<Answer<Name>>, "again">>(NOTHING);
  const wanted = asked === undefined ? undefined : JSON.stringify(asked);
  useEffect(() => {
    if (wanted === undefined) return;
    const gone = new AbortController();
    setState((last) => ({ ...last, busy: true }));
    // What was asked is plain data: its text says when it is another question.
    ask(name, { ...(JSON.parse(wanted) as Asked<Name>), signal: gone.signal }).then(
      (value) => setState({ value, error: undefined, busy: false }),
      (error: unknown) => {
        if (!gone.signal.aborted) setState((last) => ({ ...last, error, busy: false }));
      },
    );
    return () => gone.abort();
  }, [name, wanted, round]);
  const again = useCallback(() => setRound((last) => last + 1), []);
  return { ...state, again };
}

const NOTHING = { value: undefined, error: undefined, busy: true };
