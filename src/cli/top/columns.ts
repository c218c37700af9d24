import type { Style } from "../terminal.ts";
import { columnsOf, oneLine, pad } from "./cells.ts";
import type { Line } from "./line.ts";
import { fitted } from "./line.ts";

/** One cell of a row. */
export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

/** A column of a table that gives way where there is little room. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Cell;
  readonly to?: "right";
  /** Columns that it may shrink to; it keeps its width where absent. */
  readonly least?: number;
  /** Those of the lowest rank are left out first; one without rank stays, and is cut last. */
  readonly rank?: number;
}

const GAP = "  ";

/** A table in at most `width` columns: first its longest cells are cut, then whole columns are left out. The first line is its head. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): readonly Line[] {
  const cells = columns.map((column) => rows.map((row) => column.cell(row)));
  const wanted = cells.map((of, index) =>
    Math.max(...[columns[index]?.head ?? "", ...of.map(({ text }) => oneLine(text))].map(columnsOf)),
  );
  const widths = shrunk(columns, wanted, width);
  const last = widths.findLastIndex((one) => one > 0);
  const line = (cellOf: (column: number) => Cell): Line =>
    fitted(
      widths.flatMap((columnWidth, index) => {
        if (columnWidth === 0) return [];
        const { text, ...style } = cellOf(index);
        return [
          {
            text: pad(oneLine(text), columnWidth, columns[index]?.to) + (index === last ? "" : GAP),
            ...style,
          },
        ];
      }),
      width,
    );
  return [
    line((index) => ({ text: columns[index]?.head ?? "", style: "dim" })),
    ...rows.map((_, row) => line((index) => cells[index]?.[row] ?? { text: "" })),
  ];
}

/** The widths that fit; 0 where a column is left out. */
function shrunk<Row>(
  columns: readonly Column<Row>[],
  wanted: readonly number[],
  width: number,
): readonly number[] {
  let widths = [...wanted];
  const excess = (): number =>
    widths.reduce((sum, one) => sum + (one === 0 ? 0 : one + GAP.length), -GAP.length) - width;
  while (excess() > 0) {
    const gives = widest(columns, widths, true);
    const goes = gives === undefined ? lowest(columns, widths) : undefined;
    const cut = gives ?? goes ?? widest(columns, widths, false);
    if (cut === undefined) break;
    // With a whole column gone, the others have their room again.
    if (goes !== undefined) widths = widths.map((one, index) => (one === 0 ? 0 : (wanted[index] ?? 0)));
    widths[cut] = goes === undefined ? (widths[cut] ?? 1) - 1 : 0;
  }
  return widths;
}

/** The widest of the columns with or without a rank that can still give, as its place. */
function widest<Row>(
  columns: readonly Column<Row>[],
  widths: readonly number[],
  ranked: boolean,
): number | undefined {
  let found: number | undefined;
  for (const [index, { least, rank }] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (least === undefined || width <= least || (rank !== undefined) !== ranked) continue;
    if (found === undefined || width > (widths[found] ?? 0)) found = index;
  }
  return found;
}

/** The column that is missed least, as its place. */
function lowest<Row>(columns: readonly Column<Row>[], widths: readonly number[]): number | undefined {
  let found: number | undefined;
  for (const [index, { rank }] of columns.entries()) {
    if (rank === undefined || widths[index] === 0) continue;
    if (found === undefined || rank < (columns[found]?.rank ?? 0)) found = index;
  }
  return found;
}
