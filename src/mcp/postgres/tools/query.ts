import { z } from "zod";
import { rowsAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { rowBounds } from "../row-bounds.ts";
import { checkedStatement, parametersArgument, sqlArgument } from "../statement-arguments.ts";
import { READS } from "../statement-kind.ts";

export const query = databaseTool({
  name: "query",
  title: "Run a query",
  description:
    "Runs one statement that only reads (SELECT, WITH, VALUES, TABLE, SHOW, EXPLAIN) in a read-only transaction and returns its rows with the columns' types. bigint, numeric, dates and json come as text, bytea as hexadecimal and shortened.",
  arguments: z.strictObject({
    sql: sqlArgument,
    params: parametersArgument,
    max_rows: z.int().min(1).optional().describe("Most rows; the source's own bound when absent or larger."),
  }),
  async run({ sql, params, max_rows }, database, signal) {
    const { options } = database;
    const statement = checkedStatement(sql, params, READS);
    const result = await database.read(signal, (transaction) =>
      transaction.rows(statement.sql, statement.values, rowBounds(options, max_rows)),
    );
    const more =
      result.rows.length < options.maxRows && result.cut === "rows"
        ? `Raise max_rows (at most ${options.maxRows}), aggregate, or go on from the last row with WHERE and ORDER BY.`
        : "Aggregate, narrow with WHERE, or go on from the last row with WHERE and ORDER BY.";
    return rowsAnswer(result, more);
  },
});
