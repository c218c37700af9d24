import { z } from "zod";
import { dataAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { checkedStatement, parametersArgument, sqlArgument } from "../statement-arguments.ts";
import { EXPLAINABLE } from "../statement-kind.ts";
import { ToolFailure } from "../tool-failure.ts";

/** What may be run to be measured: in the read-only transaction, where anything that writes is refused. */
const MEASURABLE = ["SELECT", "WITH", "VALUES", "TABLE"];

export const explain = databaseTool({
  name: "explain",
  title: "Explain a statement",
  description:
    "The server's plan of a statement as JSON, with estimated costs and rows. The statement is not run; with analyze it is, in a read-only transaction, and times and buffers are real.",
  arguments: z.strictObject({
    sql: sqlArgument,
    params: parametersArgument,
    analyze: z.boolean().optional().describe("Run it and measure; only for statements that read."),
  }),
  async run({ sql, params, analyze = false }, database, signal) {
    const { sql: checked, values } = checkedStatement(sql, params, analyze ? MEASURABLE : EXPLAINABLE);
    const { maxBytes } = database.options;
    const how = analyze ? "FORMAT JSON, ANALYZE, BUFFERS" : "FORMAT JSON, VERBOSE";
    const result = await database.read(signal, (transaction) =>
      transaction.rows(`EXPLAIN (${how}) ${checked}`, values, { rows: 1, bytes: maxBytes, field: maxBytes }),
    );
    const [row] = result.rows;
    if (row === undefined || result.cutValues > 0) {
      throw new ToolFailure(`The plan is longer than the ${maxBytes} bytes that an answer may have.`);
    }
    const [plan] = z.tuple([z.string()]).parse(JSON.parse(row));
    return dataAnswer(analyze ? "Plan, as it was run." : "Plan; the statement was not run.", compact(plan));
  },
});

/** JSON without the server's indentation, its numbers as they are. */
const compact = (json: string): string => json.replaceAll(/\n\s*/gu, "");
