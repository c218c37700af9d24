import { z } from "zod";
import { rowsAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { quotedIdentifier } from "../quoted-identifier.ts";
import { rowBounds } from "../row-bounds.ts";
import { READABLE, SHOWN, shownParameter, shownSchema } from "../shown-schemas.ts";
import { noSuchTable } from "../tool-failure.ts";

const USUAL = 5;
/** Characters of one value; cut by the server, so that a long one does not travel. */
const MOST_TEXT = 500;

const COLUMNS = `
SELECT a.attname, a.atttypid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype,
  'pg_catalog.float4'::pg_catalog.regtype, 'pg_catalog.float8'::pg_catalog.regtype, 'pg_catalog.bool'::pg_catalog.regtype,
  'pg_catalog.int8'::pg_catalog.regtype, 'pg_catalog.timestamptz'::pg_catalog.regtype, 'pg_catalog.date'::pg_catalog.regtype)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE ${SHOWN} AND ${READABLE} AND n.nspname = $2 AND c.relname = $3 AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
ORDER BY a.attnum`;

export const sampleRows = databaseTool({
  name: "sample_rows",
  title: "Sample rows",
  description: `A few rows of a table, in no particular order, values longer than ${MOST_TEXT} characters cut.`,
  arguments: z.strictObject({
    table: z.string().min(1).describe("Name as the database has it, without quotes."),
    schema: z
      .string()
      .min(1)
      .optional()
      .describe("Its schema; the first that the source shows, or public, when absent."),
    rows: z.int().min(1).max(100).optional().describe(`How many; ${USUAL} when absent.`),
  }),
  async run({ table, schema, rows = USUAL }, database, signal) {
    const { options } = database;
    const where = shownSchema(schema, options);
    const result = await database.read(signal, async (transaction) => {
      const columns = await transaction.list(COLUMNS, [shownParameter(options), where, table]);
      if (columns.length === 0) throw noSuchTable();
      const expressions = columns.map(([name, short]) => {
        const column = quotedIdentifier(name ?? "");
        const text = `t.${column}::pg_catalog.text`;
        return short === "t" ? `t.${column}` : `${shortened(text)} AS ${column}`;
      });
      const from = `${quotedIdentifier(where)}.${quotedIdentifier(table)}`;
      const sql = `SELECT ${expressions.join(", ")} FROM ${from} AS t LIMIT $1`;
      return transaction.rows(sql, [rows], rowBounds(options, rows));
    });
    return rowsAnswer(result, "query reads more of it.");
  },
});

/** A long text by its beginning and its length, both of the server's making. */
const shortened = (text: string): string =>
  `CASE WHEN pg_catalog.length(${text}) <= ${MOST_TEXT} THEN ${text}
    ELSE pg_catalog.concat(pg_catalog."left"(${text}, ${MOST_TEXT}), '… (cut: ', pg_catalog.length(${text}), ' characters in all)') END`;
