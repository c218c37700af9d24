import { useMemo } from "react";
import { useAnswer } from "../../api/use-answer.ts";
import type { RequestRow } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";

/** Requests of before the console was opened that are looked at. */
const BEFORE = 200;

/** The last requests, oldest first: those of the books, and behind them what the stream told. None for who may not see them. */
export function useRecentRequests(admin: boolean): readonly RequestRow[] {
  const before = useAnswer("GET /api/requests", admin ? { query: { limit: BEFORE } } : undefined).value;
  const live = useLive((state) => state.requests);
  return useMemo(() => {
    const told = new Set(live.map(({ id }) => id));
    return [...(before?.requests ?? []).filter(({ id }) => !told.has(id)).toReversed(), ...live];
  }, [before, live]);
}
