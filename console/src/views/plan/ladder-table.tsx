import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { formatBytes } from "../../parts/words.ts";
import type { PlannedService } from "./plan-types.ts";
import { ProseCell } from "./prose-cell.tsx";

type Rung = NonNullable<PlannedService["ladder"]>[number];

interface Placed {
  readonly rung: Rung;
  /** From 1. */
  readonly position: number;
}

/** What a service gives up, step by step, when memory runs short, and what each step frees. */
export function LadderTable({ service }: { readonly service: PlannedService }) {
  const { ladder = [] } = service;
  if (ladder.length === 0) return null;
  return (
    <section>
      <h4>When memory runs short</h4>
      <DataTable
        caption={`Ladder of ${service.name}`}
        rows={ladder.map((rung, index) => ({ rung, position: index + 1 }))}
        keyOf={({ position }) => String(position)}
        columns={COLUMNS}
      />
    </section>
  );
}

const COLUMNS: readonly Column<Placed>[] = [
  { name: "Rung", cell: ({ position }) => position },
  { name: "Step", names: true, cell: ({ rung }) => rung.step },
  { name: "Change", cell: ({ rung }) => <ProseCell text={rung.change} /> },
  { name: "Frees", cell: ({ rung }) => <ProseCell text={freed(rung)} /> },
];

function freed({ frees, noEffect, unloads, to }: Rung): string {
  if (noEffect !== undefined) return `nothing: ${noEffect}`;
  const parts = [
    ...frees.map(
      ({ device, bytes }) => `${bytes < 0 ? "takes " : ""}${formatBytes(Math.abs(bytes))} on ${device}`,
    ),
    ...(unloads === undefined ? [] : [`unloads ${unloads.join(", ")}`]),
    ...(to === undefined ? [] : [`goes to ${to}`]),
  ];
  return parts.length === 0 ? "—" : parts.join("; ");
}
