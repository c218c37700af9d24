import { hashTo } from "../../app/hash-route.ts";
import { Badge } from "../../parts/badge.tsx";
import { CommandLine } from "../../parts/command-line.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { Time } from "../../parts/time.tsx";
import { formatDuration } from "../../parts/words.ts";
import { standOf } from "./run-words.ts";
import type { Run } from "./runbook-types.ts";

interface RunListProps {
  readonly runs: readonly Run[];
  readonly chosen: Run | undefined;
}

const keyOf = ({ spec, id }: Run): string => `${spec} ${id}`;

/** The runs, newest first, each leading to its steps. */
export function RunList({ runs, chosen }: RunListProps) {
  if (runs.length === 0) return <NoRuns />;
  return (
    <DataTable
      caption="Runs, newest first"
      rows={runs}
      keyOf={keyOf}
      toneOf={(run) => (chosen !== undefined && keyOf(run) === keyOf(chosen) ? "chosen" : undefined)}
      columns={COLUMNS}
    />
  );
}

const COLUMNS: readonly Column<Run>[] = [
  {
    name: "Run",
    cell: ({ spec, id }) => <a href={hashTo("runbook", [spec, String(id)])}>{`${spec} ${id}`}</a>,
  },
  { name: "Stands", cell: (run) => <Badge tone={standOf(run).tone}>{standOf(run).word}</Badge> },
  { name: "Begun", cell: ({ begun }) => <Time at={begun} /> },
  { name: "Took", figure: true, cell: ({ begun, ended }) => took(begun, ended) },
  { name: "By", cell: ({ by }) => by },
];

const took = (begun: number, ended: number | undefined): string =>
  ended === undefined ? "" : formatDuration(ended - begun);

/** Says what a runbook is for, and how a run is begun. */
const NoRuns = () => (
  <div className="empty">
    <p>
      Nothing was applied with this state folder yet. An apply brings about what a spec says, step by step:
      disks, guests, models, engines, services. It shows its plan first, asks before anything that could
      destroy data, and can be run again after anything went wrong.
    </p>
    <CommandLine command="./omni apply omni.yaml --dry-run" />
    <CommandLine command="./omni apply omni.yaml" />
  </div>
);
