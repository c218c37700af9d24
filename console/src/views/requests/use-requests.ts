import { useCallback, useEffect, useMemo, useState } from "react";
import { ask } from "../../api/ask.ts";
import type { RequestRow } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";
import { joinedRequests } from "./joined-requests.ts";
import { filterQuery } from "./request-filter.ts";
import type { RequestFilter } from "./request-filter.ts";

/** Requests that are asked for at a time. */
const PAGE = 500;

export interface Requests {
  /** Newest first. */
  readonly rows: readonly RequestRow[];
  readonly busy: boolean;
  readonly error: unknown;
  readonly more: boolean;
  readonly loadOlder: () => void;
}

/** Requests that ended, of one filter; whoever uses another one begins anew. */
export function useRequests(filter: RequestFilter): Requests {
  const live = useLive((state) => state.requests);
  const [asked, setAsked] = useState<readonly RequestRow[]>([]);
  const [state, setState] = useState<Omit<Requests, "rows" | "loadOlder">>(ASKING);
  const load = useCallback(
    (before?: number): void => {
      const query = { limit: PAGE, ...filterQuery(filter), ...(before === undefined ? {} : { before }) };
      ask("GET /api/requests", { query }).then(
        ({ requests }) => {
          setAsked((last) => withPage(last, requests));
          setState({ busy: false, error: undefined, more: requests.length === PAGE });
        },
        (error: unknown) => setState((was) => ({ ...was, busy: false, error })),
      );
    },
    [filter],
  );
  useEffect(() => load(), [load]);
  const rows = useMemo(() => joinedRequests(asked, live, filter), [asked, live, filter]);
  const oldest = asked.at(-1)?.started;
  const loadOlder = useCallback(() => {
    setState(ASKING);
    load(oldest);
  }, [load, oldest]);
  return { rows, ...state, loadOlder };
}

const ASKING = { busy: true, error: undefined, more: false };

/** Older rows behind those that are there, each once. */
function withPage(rows: readonly RequestRow[], page: readonly RequestRow[]): readonly RequestRow[] {
  const known = new Set(rows.map(({ id }) => id));
  return [...rows, ...page.filter(({ id }) => !known.has(id))];
}
