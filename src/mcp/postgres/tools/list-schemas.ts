import { z } from "zod";
import { rowsAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { rowBounds } from "../row-bounds.ts";
import { READABLE, SHOWN, shownParameter } from "../shown-schemas.ts";

const SCHEMAS = `
SELECT n.nspname AS schema,
  (SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_class c
   WHERE c.relnamespace = n.oid AND ${READABLE}) AS tables,
  pg_catalog.obj_description(n.oid, 'pg_namespace') AS comment
FROM pg_catalog.pg_namespace n WHERE ${SHOWN} ORDER BY 1`;

export const listSchemas = databaseTool({
  name: "list_schemas",
  title: "List schemas",
  description:
    "Schemas of the database that this source shows, with how many readable tables each has and its comment.",
  arguments: z.strictObject({}),
  async run(_args, database, signal) {
    const { options } = database;
    const result = await database.read(signal, (transaction) =>
      transaction.rows(SCHEMAS, [shownParameter(options)], rowBounds(options)),
    );
    return rowsAnswer(result, "");
  },
});
