import { useMemo, useState } from "react";
import { useAnswer } from "../../api/use-answer.ts";
import { Badge } from "../../parts/badge.tsx";
import type { Tone } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Field } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import { formatBytes, formatDuration } from "../../parts/words.ts";
import type { AuditEntry } from "./tool-types.ts";
import { isOfTools, useAfterEvents } from "./use-after-events.ts";

const OUTCOMES = ["ok", "error", "refused", "denied", "cancelled", "timeout", "input"] as const;
const TONES: Readonly<Record<AuditEntry["outcome"], Tone>> = {
  ok: "good",
  error: "error",
  refused: "warning",
  denied: "warning",
  cancelled: "quiet",
  timeout: "error",
  input: "busy",
};

/** Calls of one look. */
const PAGE = 100;

/** Who called what, and what came of it. */
export function Audit() {
  const [filter, setFilter] = useState({ key: "", server: "", outcome: "" });
  const [befores, setBefores] = useState<readonly number[]>([]);
  const before = befores.at(-1);
  const query = useMemo(
    () => ({
      limit: PAGE,
      ...Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== "")),
      ...(before === undefined ? {} : { before }),
    }),
    [filter, before],
  );
  const { value, error, again, busy } = useAnswer("GET /api/mcp/audit", { query });
  useAfterEvents(isOfTools, again);
  const change = (part: Partial<typeof filter>): void => {
    setFilter({ ...filter, ...part });
    setBefores([]);
  };
  const last = value?.audit.at(-1);
  return (
    <Panel title="Calls" actions={<Button onPress={again}>Look again</Button>}>
      <div className="stacked">
        <AuditFilters filter={filter} change={change} />
        {error !== undefined && <Failure error={error} again={again} />}
        {value === undefined && error === undefined && <Loading what="calls" />}
        {value?.audit.length === 0 && <Empty>No call like this was made.</Empty>}
        {value !== undefined && value.audit.length > 0 && (
          <DataTable
            caption="Calls of tools, newest first"
            columns={COLUMNS}
            rows={value.audit}
            keyOf={({ seq }) => String(seq)}
          />
        )}
        <div className="row">
          {befores.length > 0 && <Button onPress={() => setBefores(befores.slice(0, -1))}>Newer</Button>}
          {last !== undefined && value?.audit.length === PAGE && (
            <Button busy={busy} onPress={() => setBefores([...befores, last.seq])}>
              Older
            </Button>
          )}
        </div>
      </div>
    </Panel>
  );
}

interface AuditFiltersProps {
  readonly filter: Readonly<Record<"key" | "server" | "outcome", string>>;
  readonly change: (part: Partial<Record<"key" | "server" | "outcome", string>>) => void;
}

const AuditFilters = ({ filter: { key, server, outcome }, change }: AuditFiltersProps) => (
  <form className="filters" role="search" aria-label="Calls" onSubmit={(event) => event.preventDefault()}>
    <Field name="Key" type="search" value={key} onChange={(value) => change({ key: value })} />
    <Field name="Server" type="search" value={server} onChange={(value) => change({ server: value })} />
    <Field
      name="Outcome"
      value={outcome}
      choices={[["", "all"], ...OUTCOMES.map((one) => [one, one] as const)]}
      onChange={(value) => change({ outcome: value })}
    />
  </form>
);

const COLUMNS: readonly Column<AuditEntry>[] = [
  { name: "When", cell: ({ time }) => <Time at={time} as="clock" /> },
  { name: "Key", cell: ({ key }) => key },
  { name: "By", cell: ({ channel }) => channel },
  {
    name: "Call",
    names: true,
    cell: ({ server, name, method }) => (
      <code>{method === "tools/call" ? `${server} › ${name}` : `${method} ${server} ${name}`}</code>
    ),
  },
  { name: "Arguments", cell: ({ shape }) => <small className="quiet">{shape}</small> },
  {
    name: "Outcome",
    cell: ({ outcome, code, approvedBy }) => (
      <>
        <Badge tone={TONES[outcome]}>{code ?? outcome}</Badge>
        {approvedBy !== undefined && <small className="quiet"> approved by {approvedBy}</small>}
      </>
    ),
  },
  { name: "Took", figure: true, cell: ({ duration }) => formatDuration(duration) },
  { name: "Answer", figure: true, cell: ({ resultBytes }) => formatBytes(resultBytes) },
];
