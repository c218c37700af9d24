import { z } from "zod";
import { rowsAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { quotedIdentifier } from "../quoted-identifier.ts";
import { rowBounds } from "../row-bounds.ts";
import { ToolFailure } from "../tool-failure.ts";

const USUAL = 10;
const MOST_QUERY = 1000;
/** Columns of times have these names since PostgreSQL 13 (pg_stat_statements 1.8). */
const FIRST_VERSION = 130_000;

const PLACE = `
SELECT n.nspname, s.setting IS NULL
  OR pg_catalog.strpos(pg_catalog.concat(',', pg_catalog.replace(s.setting, ' ', ''), ','), ',pg_stat_statements,') > 0
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
LEFT JOIN pg_catalog.pg_settings s ON s.name = 'shared_preload_libraries'
WHERE e.extname = 'pg_stat_statements'`;

const ORDERS = { total: "total_exec_time", mean: "mean_exec_time", calls: "calls", rows: "rows" } as const;

export const topQueries = databaseTool({
  name: "top_queries",
  title: "Most expensive queries",
  description:
    "Statements that took most, by pg_stat_statements: calls, total and mean milliseconds, rows, cache hits, text with its constants replaced. Says how to enable it where it is not.",
  arguments: z.strictObject({
    order: z
      .enum(["total", "mean", "calls", "rows"])
      .optional()
      .describe("What counts; total time when absent."),
    limit: z.int().min(1).max(50).optional().describe(`How many; ${USUAL} when absent.`),
  }),
  async run({ order = "total", limit = USUAL }, database, signal) {
    const result = await database.read(signal, async (transaction) => {
      const [place] = await transaction.list(PLACE);
      if (place === undefined) {
        throw new ToolFailure(
          "pg_stat_statements is not there. Its owner enables it: shared_preload_libraries = 'pg_stat_statements' in postgresql.conf, a restart, CREATE EXTENSION pg_stat_statements in this database, and GRANT pg_read_all_stats to the role of this source for statements of others.",
        );
      }
      if (transaction.version < FIRST_VERSION) throw new ToolFailure("This needs PostgreSQL 13 or newer.");
      // Who may not read the setting gets no row of it, and the view's own refusal then.
      if (place[1] === "f") {
        throw new ToolFailure(
          "pg_stat_statements is created but not loaded. Its owner adds it to shared_preload_libraries in postgresql.conf and restarts the server.",
        );
      }
      const view = `${quotedIdentifier(place[0] ?? "")}.pg_stat_statements`;
      return transaction.rows(
        `SELECT q.calls, pg_catalog.round(q.total_exec_time::pg_catalog."numeric", 2) AS total_ms,
           pg_catalog.round(q.mean_exec_time::pg_catalog."numeric", 3) AS mean_ms, q.rows,
           pg_catalog.round(q.shared_blks_hit::pg_catalog."numeric" / nullif(q.shared_blks_hit + q.shared_blks_read, 0), 4) AS cache_hit_ratio,
           pg_catalog."left"(q.query, ${MOST_QUERY}) AS query
         FROM ${view} AS q WHERE q.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
         ORDER BY q.${ORDERS[order]} DESC LIMIT $1`,
        [limit],
        rowBounds(database.options, limit),
      );
    });
    return rowsAnswer(result, "");
  },
});
