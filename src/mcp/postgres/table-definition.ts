import type { PostgresOptions } from "./postgres-options.ts";
import { KIND, READABLE, SHOWN, shownParameter } from "./shown-schemas.ts";
import type { Transaction } from "./transaction.ts";

/** Characters of a view's definition that are shown. */
const MOST_VIEW = 20_000;

const COLUMNS = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'name', a.attname,
    'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
    'nullable', NOT a.attnotnull,
    'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
    'generated', CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
    'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
    'readable', pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'),
    'comment', pg_catalog.col_description(c.oid, a.attnum)) ORDER BY a.attnum)
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)`;

const CONSTRAINTS = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'name', k.conname,
    'kind', CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign key'
      WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclude' ELSE 'other' END,
    'definition', pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.contype, k.conname)
  FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x'))`;

const INDEXES = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'name', ic.relname, 'valid', i.indisvalid, 'unique', i.indisunique, 'primary', i.indisprimary,
    'definition', pg_catalog.pg_get_indexdef(i.indexrelid)) ORDER BY ic.relname)
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid WHERE i.indrelid = c.oid)`;

const REFERENCED = `(SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'table', pg_catalog.format('%I.%I', rn.nspname, rc.relname),
    'definition', pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY rn.nspname, rc.relname, k.conname)
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class rc ON rc.oid = k.conrelid
  JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
  WHERE k.confrelid = c.oid AND k.contype = 'f' AND pg_catalog.has_schema_privilege(rn.oid, 'USAGE'))`;

const TABLE = `
SELECT pg_catalog.json_build_object(
  'schema', n.nspname, 'name', c.relname, 'kind', ${KIND},
  'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
  'approximate_rows', CASE WHEN c.relkind IN ('r', 'm', 'p') AND c.reltuples >= 0 THEN c.reltuples::pg_catalog.int8 END,
  'row_security', c.relrowsecurity,
  'partition_key', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
  'columns', ${COLUMNS}, 'constraints', ${CONSTRAINTS}, 'indexes', ${INDEXES}, 'referenced_by', ${REFERENCED},
  'view', CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog."left"(pg_catalog.pg_get_viewdef(c.oid), ${MOST_VIEW}) END)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE ${SHOWN} AND ${READABLE} AND n.nspname = $2 AND c.relname = $3`;

/** All of a table's definition as JSON text; `undefined` when there is no such table that the role may read. */
export async function tableDefinition(
  transaction: Transaction,
  options: PostgresOptions,
  schema: string,
  table: string,
): Promise<string | undefined> {
  const [row] = await transaction.list(TABLE, [shownParameter(options), schema, table]);
  return row?.[0] ?? undefined;
}
