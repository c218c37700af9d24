import { useState } from "react";
import { useAnswer } from "../../api/use-answer.ts";
import { BarChart } from "../../parts/bar-chart.tsx";
import { Button } from "../../parts/button.tsx";
import { useNow } from "../../parts/clock.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Facts } from "../../parts/facts.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Field } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { formatCount } from "../../parts/words.ts";
import type { UsageRow } from "./key-types.ts";
import { tokensOf, usageBy, usageByDay, usageOfAll } from "./usage-sums.ts";
import type { UsageSum } from "./usage-sums.ts";

const SPANS = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
] as const;

/** What was used of the node, day by day and by whom. */
export function UsagePanel({ keys }: { readonly keys: readonly string[] }) {
  const [days, setDays] = useState("30");
  const [key, setKey] = useState("");
  const { value, error, busy, again } = useAnswer("GET /api/usage", {
    query: { days, ...(key === "" ? {} : { key }) },
  });
  return (
    <Panel
      title="Usage"
      actions={
        <Button busy={busy} onPress={again}>
          Ask again
        </Button>
      }
    >
      <div className="usage-choice">
        <Field name="The last" value={days} onChange={setDays} choices={SPANS} />
        <Field
          name="Key"
          value={key}
          onChange={setKey}
          choices={[["", "all keys"], ...keys.map((name) => [name, name] as const)]}
        />
      </div>
      {error !== undefined && <Failure error={error} again={again} />}
      {value === undefined && error === undefined && <Loading what="the usage" />}
      {value !== undefined && <Usage rows={value.usage} days={Number(days)} />}
    </Panel>
  );
}

function Usage({ rows, days }: { readonly rows: readonly UsageRow[]; readonly days: number }) {
  const now = useNow();
  if (rows.length === 0) return <Empty>Nothing was used in these days.</Empty>;
  const all = usageOfAll(rows);
  const byDay = usageByDay(rows, days, now);
  return (
    <>
      <Facts
        of={{
          Requests: formatCount(all.requests),
          "Prompt tokens": formatCount(all.promptTokens),
          "Answer tokens": formatCount(all.completionTokens),
          "Of the prompts from cache": formatCount(all.cachedTokens),
        }}
      />
      <h3 className="usage-title">Tokens by day (UTC)</h3>
      <BarChart
        label={`Tokens of each of the last ${days} days, ${formatCount(tokensOf(all))} together`}
        bars={byDay.map((sum) => ({
          name: sum.name,
          value: tokensOf(sum),
          title: `${sum.name}: ${formatCount(tokensOf(sum))} tokens, ${formatCount(sum.requests)} requests`,
        }))}
      />
      <details className="fold">
        <summary>Day by day</summary>
        <Sums caption="Usage by day" of={byDay.filter(({ requests }) => requests > 0).toReversed()} />
      </details>
      {GROUPS.map(([member, title]) => (
        <section key={member}>
          <h3 className="usage-title">{title}</h3>
          <Sums caption={`Usage ${title.toLowerCase()}`} of={usageBy(rows, member)} />
        </section>
      ))}
    </>
  );
}

const GROUPS = [
  ["key", "By key"],
  ["model", "By model"],
  ["service", "By service"],
] as const;

const Sums = ({ caption, of }: { readonly caption: string; readonly of: readonly UsageSum[] }) => (
  <DataTable caption={caption} rows={of} keyOf={({ name }) => name} columns={SUMS} />
);

const SUMS: readonly Column<UsageSum>[] = [
  { name: "Name", cell: ({ name }) => name },
  { name: "Requests", figure: true, cell: ({ requests }) => formatCount(requests) },
  { name: "Prompt tokens", figure: true, cell: ({ promptTokens }) => formatCount(promptTokens) },
  { name: "From cache", figure: true, cell: ({ cachedTokens }) => formatCount(cachedTokens) },
  { name: "Answer tokens", figure: true, cell: ({ completionTokens }) => formatCount(completionTokens) },
];
