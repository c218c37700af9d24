import { useEffect, useRef } from "react";
import type { Answer } from "../../../src/api/contract/index.ts";
import { useAnswer } from "../api/use-answer.ts";
import type { AnswerState } from "../api/use-answer.ts";
import type { LiveState } from "./live-state.ts";
import { useLive } from "./use-live.ts";

/** Happenings after which the plan, or what was measured beside it, may be another one. */
const CHANGES: ReadonlySet<string> = new Set([
  "node.started",
  "node.reloaded",
  "node.replanned",
  "service.ready",
]);

const lastChange = ({ events }: LiveState): number | undefined =>
  events.findLast(({ kind }) => CHANGES.has(kind))?.seq;

/** The plan that the node runs; asked for again when the node tells that it may have changed. */
export function useRunningPlan(): AnswerState<Answer<"GET /api/plan">> {
  const plan = useAnswer("GET /api/plan");
  const change = useLive(lastChange);
  const asked = useRef(change);
  const { again } = plan;
  useEffect(() => {
    if (asked.current === change) return;
    // What the stream told first is of before the question.
    const known = asked.current !== undefined;
    asked.current = change;
    if (known) again();
  }, [change, again]);
  return plan;
}
