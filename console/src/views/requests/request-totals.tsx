import { useMemo } from "react";
import { hashTo } from "../../app/hash-route.ts";
import type { RequestRow } from "../../live/live-state.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { formatCount } from "../../parts/words.ts";
import { filterQuery } from "./request-filter.ts";
import type { RequestFilter } from "./request-filter.ts";
import { requestSums } from "./request-sums.ts";
import type { RequestSum } from "./request-sums.ts";

interface TotalsProps {
  readonly rows: readonly RequestRow[];
  readonly filter: RequestFilter;
}

/** What the requests that are shown come to, by key and by route. */
export const RequestTotals = ({ rows, filter }: TotalsProps) => (
  <div className="columns">
    <Totals rows={rows} filter={filter} by="key" name="Key" />
    <Totals rows={rows} filter={filter} by="route" name="Route" />
  </div>
);

interface NamedTotalsProps extends TotalsProps {
  readonly by: "key" | "route";
  readonly name: string;
}

function Totals({ rows, filter, by, name }: NamedTotalsProps) {
  const sums = useMemo(() => requestSums(rows, by), [rows, by]);
  const linked = sums.map((sum) => ({
    ...sum,
    href: hashTo("requests", [], filterQuery({ ...filter, [by]: sum.name })),
  }));
  return (
    <DataTable
      caption={`Usage by ${name.toLowerCase()}`}
      columns={[{ name, cell: linkedName }, ...COLUMNS]}
      rows={linked}
      keyOf={(sum) => sum.name}
    />
  );
}

const linkedName = ({ name, href }: LinkedSum) => <a href={href}>{name}</a>;

interface LinkedSum extends RequestSum {
  readonly href: string;
}

const COLUMNS: readonly Column<LinkedSum>[] = [
  { name: "Requests", figure: true, cell: ({ requests }) => formatCount(requests) },
  { name: "Failed", figure: true, cell: ({ failed }) => (failed === 0 ? "–" : formatCount(failed)) },
  { name: "Tokens in", figure: true, cell: ({ promptTokens }) => formatCount(promptTokens) },
  { name: "Tokens out", figure: true, cell: ({ completionTokens }) => formatCount(completionTokens) },
];
