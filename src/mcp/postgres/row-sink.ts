import type { FieldDef } from "pg";
import { cellOf } from "./cell.ts";

/** How much of a result is kept. */
export interface RowBounds {
  readonly rows: number;
  /** Bytes of the rows as JSON. */
  readonly bytes: number;
  /** Characters of one value. */
  readonly field: number;
}

/** Why rows are missing: more than `rows`, more than `bytes`, or a message too long to be received at all. */
export type Cut = "rows" | "bytes" | "message";

/** Keeps rows as JSON until a bound is reached, and then counts only. */
export class RowSink {
  readonly #bounds: RowBounds;
  /** Each row as a JSON array. */
  readonly rows: string[] = [];
  /** Values that were shortened. */
  cutValues = 0;
  /** Rows that came, kept or not. */
  seen = 0;
  cut: Cut | undefined;
  #bytes = 0;

  constructor(bounds: RowBounds) {
    this.#bounds = bounds;
  }

  /** Takes a row as the server wrote it. Never throws: it runs in the socket's turn. */
  take(values: readonly (string | null)[], fields: readonly FieldDef[]): void {
    this.seen += 1;
    if (this.cut !== undefined) return;
    if (this.rows.length >= this.#bounds.rows) {
      this.cut = "rows";
      return;
    }
    let cutValues = 0;
    const cells = values.map((value, index) => {
      const cell = cellOf(value, fields[index]?.dataTypeID ?? 0, this.#bounds.field);
      if (cell.cut) cutValues += 1;
      return cell.value;
    });
    const json = JSON.stringify(cells);
    const bytes = Buffer.byteLength(json) + 1;
    if (this.#bytes + bytes > this.#bounds.bytes) {
      this.cut = "bytes";
      return;
    }
    this.#bytes += bytes;
    this.cutValues += cutValues;
    this.rows.push(json);
  }
}
