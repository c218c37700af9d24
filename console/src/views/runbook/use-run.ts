import { useEffect } from "react";
import { useAnswer } from "../../api/use-answer.ts";
import type { AnswerState } from "../../api/use-answer.ts";
import { useLive } from "../../live/use-live.ts";
import type { RunDetail } from "./runbook-types.ts";

/** Milliseconds after an answer about a run that is at work, before it is asked for again. */
const PACE = 1000;

/**
 * A run with its steps. The stream tells of its beginning and its end; the steps in between are asked for, once a second at
 * most and only while it is at work.
 */
export function useRun(spec: string, id: number): AnswerState<RunDetail> {
  const answer = useAnswer("GET /api/runbooks/{spec}/{run}", { params: { spec, run: id } });
  const told = useLive(({ runs }) => runs.find((run) => run.spec === spec && run.id === id));
  const { value, busy, again } = answer;
  const behind = value !== undefined && told !== undefined && told.ended !== value.run.ended;
  const atWork = value?.run.active === true || behind;
  useEffect(() => {
    if (!atWork || busy) return undefined;
    const timer = setTimeout(again, PACE);
    return () => clearTimeout(timer);
  }, [atWork, busy, again]);
  return answer;
}
