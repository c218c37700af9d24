import type { ReactNode } from "react";

export interface Column<Row> {
  readonly name: string;
  readonly cell: (row: Row) => ReactNode;
  /** Figures stand at the right, their digits below each other. */
  readonly figure?: boolean;
  /** Names the row; the first column when no other does. */
  readonly names?: boolean;
}

interface DataTableProps<Row> {
  /** What the rows are; shown to screen readers only. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Marks a row: `error`, `warning`, `chosen`. */
  readonly toneOf?: (row: Row) => string | undefined;
}

/** Rows under columns. On a narrow screen it scrolls sideways within itself. */
export function DataTable<Row>({ caption, columns, rows, keyOf, toneOf }: DataTableProps<Row>) {
  const naming = columns.find(({ names }) => names === true) ?? columns[0];
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table className="table">
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" className={column.figure === true ? "figure" : undefined}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} data-tone={toneOf?.(row)}>
              {columns.map((column) => {
                const Cell = column === naming ? "th" : "td";
                return (
                  <Cell
                    key={column.name}
                    {...(column === naming ? { scope: "row" } : {})}
                    className={column.figure === true ? "figure" : undefined}
                  >
                    {column.cell(row)}
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
