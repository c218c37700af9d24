import type { PostgresOptions } from "./postgres-options.ts";
import type { RowBounds } from "./row-sink.ts";

/** Characters of one value that an answer shows at most, and the part of an answer that it may take. */
const MOST_FIELD = 65_536;
const FIELD_SHARE = 4;

/** Bounds of an answer; `rows` can ask for fewer rows than the owner allows, never for more. */
export const rowBounds = (options: PostgresOptions, rows: number = options.maxRows): RowBounds => ({
  rows: Math.min(rows, options.maxRows),
  bytes: options.maxBytes,
  field: Math.min(MOST_FIELD, Math.ceil(options.maxBytes / FIELD_SHARE)),
});
