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
import { filterOf, filterQuery } from "./request-filter.ts";
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
      <History key={search} filter={filter} chosen={rest[0]} />
    </>
  );
}

const hashOf = (chosen: readonly string[], filter: RequestFilter): string =>
  hashTo("requests", chosen, filterQuery(filter));

interface HistoryProps {
  readonly filter: RequestFilter;
  readonly chosen: string | undefined;
}

function History({ filter, chosen }: HistoryProps) {
  const { rows, busy, error, more, loadOlder } = useRequests(filter);
  return (
    <>
      {chosen !== undefined && (
        <RequestDetail
          key={chosen}
          id={chosen}
          known={rows.find(({ id }) => id === chosen)}
          close={() => replaceHash(hashOf([], filter))}
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
        <div className="history">
          <RequestFilters filter={filter} rows={rows} setFilter={(next) => replaceHash(hashOf([], next))} />
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
                  <RequestRowView row={row} chosen={row.id === chosen} href={hashOf([row.id], filter)} />
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
          <div className="history">
            <Latencies rows={rows} />
            <RequestTotals rows={rows} filter={filter} />
          </div>
        </Panel>
      )}
    </>
  );
}
