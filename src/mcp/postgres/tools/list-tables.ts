import { z } from "zod";
import { rowsAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { rowBounds } from "../row-bounds.ts";
import { KIND, READABLE, SHOWN, shownParameter, shownSchema } from "../shown-schemas.ts";

/** Rows of a list unless more are asked for. */
const USUAL = 200;

const TABLES = `
SELECT n.nspname AS schema, c.relname AS name, ${KIND} AS kind,
  CASE WHEN c.relkind IN ('r', 'm', 'p') AND c.reltuples >= 0 THEN c.reltuples::pg_catalog.int8 END AS approximate_rows,
  pg_catalog.obj_description(c.oid, 'pg_class') AS comment
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE ${SHOWN} AND ${READABLE}
  AND ($2::pg_catalog.text IS NULL OR n.nspname = $2)
  AND ($3::pg_catalog.text IS NULL OR pg_catalog.strpos(pg_catalog.lower(c.relname), pg_catalog.lower($3)) > 0)
ORDER BY 1, 2 OFFSET $4`;

export const listTables = databaseTool({
  name: "list_tables",
  title: "List tables",
  description:
    "Tables, views, materialized views and foreign tables that can be read: schema, name, kind, rows by the last ANALYZE (null when unknown) and comment.",
  arguments: z.strictObject({
    schema: z.string().min(1).optional().describe("Only this schema."),
    name: z.string().min(1).optional().describe("Only names that contain this text."),
    limit: z.int().min(1).max(10_000).optional().describe(`Most tables; ${USUAL} when absent.`),
    offset: z.int().min(0).optional().describe("Tables to leave out from the beginning."),
  }),
  async run({ schema, name, limit = USUAL, offset = 0 }, database, signal) {
    const { options } = database;
    const only = schema === undefined ? null : shownSchema(schema, options);
    const values = [shownParameter(options), only, name ?? null, offset];
    const result = await database.read(signal, (transaction) =>
      transaction.rows(TABLES, values, rowBounds(options, limit)),
    );
    return rowsAnswer(
      result,
      `Go on with offset ${offset + result.rows.length}, or narrow with schema and name.`,
    );
  },
});
