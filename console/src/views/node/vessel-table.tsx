import { DataTable } from "../../parts/data-table.tsx";
import { formatBytes } from "../../parts/words.ts";
import { TONE_WORDS } from "./vessel.ts";
import type { Layer, Vessel } from "./vessel.ts";

interface Row {
  readonly of: string;
  readonly what: string;
  readonly planned: number;
  readonly measured: number;
  readonly note: string | undefined;
}

/** The exact figures of a vessel, for reading and for who does not see the drawing. */
export function VesselTable({ vessel }: { readonly vessel: Vessel }) {
  const { device, planned, measured } = vessel;
  return (
    <DataTable
      caption={`Memory of ${device}`}
      rows={rowsOf(planned ?? [], measured ?? [])}
      keyOf={({ of, what }) => `${of} ${what}`}
      columns={[
        { name: "Whose", cell: ({ of, note }) => (note === undefined ? of : `${of}, ${note}`) },
        { name: "What", cell: ({ what }) => what },
        { name: "Planned", figure: true, cell: (row) => (planned === undefined ? "–" : amount(row.planned)) },
        { name: "Now", figure: true, cell: (row) => (measured === undefined ? "–" : amount(row.measured)) },
      ]}
    />
  );
}

const amount = (bytes: number): string => (bytes === 0 ? "–" : formatBytes(bytes));

const sumIn = (layers: readonly Layer[], { of, tone }: Layer): number =>
  layers.reduce((sum, one) => (one.of === of && one.tone === tone ? sum + one.bytes : sum), 0);

function rowsOf(planned: readonly Layer[], measured: readonly Layer[]): readonly Row[] {
  const all = Map.groupBy([...planned, ...measured], ({ of, tone }) => `${of} ${tone}`);
  return [...all.values()].flatMap(([layer]) =>
    layer === undefined
      ? []
      : [
          {
            of: layer.of,
            what: TONE_WORDS[layer.tone],
            planned: sumIn(planned, layer),
            measured: sumIn(measured, layer),
            note: layer.note,
          },
        ],
  );
}
