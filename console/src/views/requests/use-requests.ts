import { useCallback, useEffect, useMemo, useState } from "react";
import { ask } from "../../api/ask.ts";
import type { LiveState, RequestRow } from "../../live/live-state.ts";
import { useCalmLive } from "../../live/use-calm-live.ts";
import { joinedRequests } from "./joined-requests.ts";
import { filterQuery } from "./request-filter.ts";
import type { RequestFilter } from "./request-filter.ts";

/** Requests that are asked for at a time. */
const PAGE = 500;

const requestsOf = ({ requests }: LiveState): readonly RequestRow[] => requests;

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
  const live = useCalmLive(requestsOf);
  const [{ asked, ...state }, setState] = useState<Asked>(NOTHING);
  const load = useCallback(
    (before?: number): void => {
      const query = { limit: PAGE, ...filterQuery(filter), ...(before === undefined ? {} : { before }) };
      ask("GET /api/requests", { query }).then(
        ({ requests }) => setState(({ asked }) => withPage(asked, requests)),
        (error: unknown) => setState((was) => ({ ...was, busy: false, error })),
      );
    },
    [filter],
  );
  useEffect(() => load(), [load]);
  const rows = useMemo(() => joinedRequests(asked, live, filter), [asked, live, filter]);
  const oldest = asked.at(-1)?.started;
  const loadOlder = useCallback(() => {
    setState((was) => ({ ...was, busy: true, error: undefined }));
    load(oldest);
  }, [load, oldest]);
  return { rows, ...state, loadOlder };
}

interface Asked extends Omit<Requests, "rows" | "loadOlder"> {
  readonly asked: readonly RequestRow[];
}

const NOTHING: Asked = { asked: [], busy: true, error: undefined, more: false };

/** Older rows behind those that are there, each once. */
function withPage(rows: readonly RequestRow[], page: readonly RequestRow[]): Asked {
  const known = new Set(rows.map(({ id }) => id));
  const asked = [...rows, ...page.filter(({ id }) => !known.has(id))];
  return { asked, busy: false, error: undefined, more: page.length === PAGE };
}
