import type { PostgresOptions } from "./postgres-options.ts";
import { ToolFailure } from "./tool-failure.ts";

/**
 * Condition on `pg_namespace n` for the schemas that lists show, where $1 is the owner's list or null: those of the list,
 * and without one all but the server's own; in both cases those that the role may use.
 */
export const SHOWN = `CASE WHEN $1::pg_catalog.text[] IS NULL
    THEN n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    ELSE n.nspname = ANY ($1::pg_catalog.text[]) END
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')`;

/** Condition on `pg_class c` for what lists show: what has rows, of which the role may read some column. */
export const READABLE = `c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))`;

/** `pg_class.relkind` in words. */
export const KIND = `CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
  WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' END`;

/** The owner's list as the first parameter of the queries above. */
export const shownParameter = (options: PostgresOptions): readonly string[] | null => options.schemas ?? null;

/** The schema that a tool was asked about, or where it looks without. Throws `ToolFailure` for one that lists do not show. */
export function shownSchema(schema: string | undefined, options: PostgresOptions): string {
  const asked = schema ?? options.schemas?.[0] ?? "public";
  if (options.schemas !== undefined && !options.schemas.includes(asked)) {
    throw new ToolFailure(
      "This source does not show that schema. What it shows is the owner's choice; what can be read is up to the rights of the database role.",
    );
  }
  return asked;
}
