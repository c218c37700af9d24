import type { FieldDef } from "pg";
import type { MessageGuard } from "./message-guard.ts";
import type { RowBounds } from "./row-sink.ts";
import { RowSink } from "./row-sink.ts";
import type { StatementCursor } from "./statement-cursor.ts";

/** Rows asked for at first, while nobody knows how long they are. */
const FIRST_BATCH = 16;
const MOST_BATCH = 500;
/** Bytes that a batch is meant to have. */
const BATCH_BYTES = 256 * 1024;

/** What came of one statement. */
export interface Reading {
  readonly fields: readonly FieldDef[];
  readonly sink: RowSink;
  /** Rows that the statement touched, where the server says so. */
  readonly affected: number | null;
  /** The server's name of the command; absent when it was not read to its end. */
  readonly command?: string;
}

interface Batch {
  readonly fields: readonly FieldDef[];
  readonly count: number;
  readonly command: string | undefined;
  readonly affected: number | null;
}

/**
 * Reads a cursor until it ends or a bound is reached; `whole` reads on to the end and drops what does not fit, because a
 * statement that changes something must not stop halfway. Batches follow the length of the rows, so that no batch is much
 * longer than a quarter of a megabyte.
 *
 * @param lost Rejects when the connection is gone.
 */
export async function readRows(
  cursor: StatementCursor,
  guard: MessageGuard,
  lost: Promise<never>,
  { bounds, whole }: { readonly bounds: RowBounds; readonly whole: boolean },
): Promise<Reading> {
  const sink = new RowSink(bounds);
  let last: Batch = { fields: [], count: 0, command: undefined, affected: null };
  let received = 0;
  let fields: readonly FieldDef[] = [];
  let want = Math.min(FIRST_BATCH, bounds.rows + 1);
  cursor.on("row", (row: (string | null)[], result: { readonly fields: readonly FieldDef[] }) => {
    fields = result.fields;
    sink.take(row, fields);
  });
  for (;;) {
    guard.begin();
    try {
      last = await Promise.race([nextBatch(cursor, want), lost]);
      fields = last.fields;
    } catch (error) {
      // What came before a message that is too long is an answer all the same.
      if (guard.tripped === undefined || whole || sink.rows.length === 0) throw error;
      sink.cut = "message";
      return { fields, sink, affected: null };
    }
    received += guard.received;
    if (last.count < want) break;
    if (sink.cut !== undefined && !whole) {
      await Promise.race([cursor.close(), lost]);
      return { fields, sink, affected: null };
    }
    want = nextSize(received / sink.seen, whole ? Infinity : bounds.rows + 1 - sink.seen);
  }
  const { command } = last;
  // With rows the server counts those of the last batch only; each row that came is one that was touched.
  const affected = fields.length > 0 && last.affected !== null ? sink.seen : last.affected;
  return { fields, sink, affected, ...(command === undefined ? {} : { command }) };
}

/** Rows of the next batch: at least one, because zero means all of them. */
const nextSize = (rowBytes: number, left: number): number =>
  Math.max(1, Math.min(Math.floor(BATCH_BYTES / Math.max(1, rowBytes)), left, MOST_BATCH));

function nextBatch(cursor: StatementCursor, rows: number): Promise<Batch> {
  const { promise, resolve, reject } = Promise.withResolvers<Batch>();
  cursor.read(rows, (error, batch, result) => {
    // The driver says null where its types say undefined.
    if (error) reject(error);
    else
      resolve({
        fields: result.fields,
        count: batch.length,
        command: result.command,
        affected: result.rowCount,
      });
  });
  return promise;
}
