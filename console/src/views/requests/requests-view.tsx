import { useMemo } from "react";
import { hashTo, replaceHash, useHashRoute } from "../../app/hash-route.ts";
import { Button } from "../../parts/button.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { LongList } from "../../parts/long-list.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Latencies } from "./latencies.tsx";
import { OpenRequests } from "./open-requests.tsx";
import { RequestDetail } from "./request-detail.tsx";
import { filterOf, filterQuery, isOwn } from "./request-filter.ts";
import type { RequestFilter } from "./request-filter.ts";
import { RequestFilters } from "./request-filters.tsx";
import { RequestRowHead, RequestRowView } from "./request-row-view.tsx";
import { RequestTotals } from "./request-totals.tsx";
import { useRequests } from "./use-requests.ts";
import "./requests.css";

const ROW_HEIGHT = 36;

/** Requests that are open and that ended: who asked, who answered, how long it took. Never what was said. */
export function RequestsView() {
  const { rest, query } = useHashRoute();
  const search = query.toString();
  const filter = useMemo(() => filterOf(new URLSearchParams(search)), [search]);
  return (
    <>
      <h1 className="unseen">Requests</h1>
      <OpenRequests />
      <History key={filterKey(filter)} filter={filter} own={query.has("own")} chosen={rest[0]} />
    </>
  );
}

const filterKey = (filter: RequestFilter): string => JSON.stringify(filter);

const hashOf = (chosen: readonly string[], filter: RequestFilter, own: boolean): string =>
  hashTo("requests", chosen, { ...filterQuery(filter), ...(own ? { own: "shown" } : {}) });

interface HistoryProps {
  readonly filter: RequestFilter;
  /** Those asked of the node itself are shown, too. */
  readonly own: boolean;
  readonly chosen: string | undefined;
}

function History({ filter, own, chosen }: HistoryProps) {
  const { rows: all, busy, error, more, loadOlder } = useRequests(filter);
  const rows = useMemo(() => (own ? all : all.filter((row) => !isOwn(row))), [all, own]);
  return (
    <>
      {chosen !== undefined && (
        <RequestDetail
          key={chosen}
          id={chosen}
          known={all.find(({ id }) => id === chosen)}
          close={() => replaceHash(hashOf([], filter, own))}
        />
      )}
      <Panel
        title="Requests that ended"
        actions={
          more && (
            <Button busy={busy} onPress={loadOlder}>
              Load older
            </Button>
          )
        }
      >
        <div className="stacked history">
          <RequestFilters
            filter={filter}
            rows={rows}
            setFilter={(next) => replaceHash(hashOf([], next, own))}
            own={own}
            setOwn={(next) => replaceHash(hashOf([], filter, next))}
          />
          {error !== undefined && <Failure error={error} />}
          {rows.length > 0 ? (
            <>
              <RequestRowHead />
              <LongList
                label="Requests that ended, newest first"
                items={rows}
                rowHeight={ROW_HEIGHT}
                keyOf={({ id }) => id}
                renderRow={(row) => (
                  <RequestRowView row={row} chosen={row.id === chosen} href={hashOf([row.id], filter, own)} />
                )}
              />
            </>
          ) : busy ? (
            <Loading what="requests" />
          ) : (
            <Empty>No request like this has ended. What was asked and answered is never kept here.</Empty>
          )}
        </div>
      </Panel>
      {rows.length > 0 && (
        <Panel title={`What these ${rows.length} come to`}>
          <div className="stacked history">
            <Latencies rows={rows} />
            <RequestTotals rows={rows} filter={filter} />
          </div>
        </Panel>
      )}
    </>
  );
}
