import { useCallback, useEffect, useMemo, useState } from "react";
import { ask } from "../../api/ask.ts";
import type { NodeEvent } from "../../live/live-state.ts";
import { mergedEvents } from "./merged-events.ts";

/** Events that are asked for at a time. */
const PAGE = 1000;

export interface Events {
  /** Oldest first, without gaps. */
  readonly events: readonly NodeEvent[];
  readonly busy: boolean;
  readonly error: unknown;
  /** There may be older ones. */
  readonly more: boolean;
  readonly loadOlder: () => void;
}

/** What the stream brought, and older events as far as they were asked for. */
export function useEvents(live: readonly NodeEvent[]): Events {
  const [{ older, ...asking }, setState] = useState<Older>(NOTHING);
  const load = useCallback((query: { readonly after?: number; readonly limit: number }): void => {
    ask("GET /api/events", { query }).then(
      ({ events }) =>
        setState((was) => ({ older: mergedEvents(events, was.older), busy: false, error: undefined })),
      (error: unknown) => setState((was) => ({ ...was, busy: false, error })),
    );
  }, []);
  useEffect(() => load({ limit: PAGE }), [load]);
  const events = useMemo(() => mergedEvents(older, live), [older, live]);
  const first = events[0]?.seq ?? 1;
  const loadOlder = useCallback(() => {
    const after = Math.max(0, first - 1 - PAGE);
    // What was there before and is not joined to it would be in its way.
    setState(({ older }) => ({ older: older[0]?.seq === first ? older : [], busy: true, error: undefined }));
    load({ after, limit: first - 1 - after });
  }, [first, load]);
  return { events, ...asking, more: first > 1, loadOlder };
}

interface Older {
  readonly older: readonly NodeEvent[];
  readonly busy: boolean;
  readonly error: unknown;
}

const NOTHING: Older = { older: [], busy: true, error: undefined };
