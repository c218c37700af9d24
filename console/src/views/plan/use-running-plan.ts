import { useEffect, useRef } from "react";
import { useAnswer } from "../../api/use-answer.ts";
import type { AnswerState } from "../../api/use-answer.ts";
import { useLive } from "../../live/use-live.ts";
import type { RunningPlan } from "./plan-types.ts";

/** The plan that the node runs; asked for again when the stream tells the whole node anew, as after a reload. */
export function useRunningPlan(): AnswerState<RunningPlan> {
  const answer = useAnswer("GET /api/plan");
  const routes = useLive(({ status }) => status?.routes);
  const known = useRef(routes);
  const { again } = answer;
  useEffect(() => {
    if (known.current !== undefined && known.current !== routes) again();
    known.current = routes;
  }, [routes, again]);
  return answer;
}
