import { z } from "zod";
import { rowsAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { rowBounds } from "../row-bounds.ts";
import { checkedStatement, parametersArgument, sqlArgument } from "../statement-arguments.ts";
import { WRITES } from "../statement-kind.ts";

export const execute = databaseTool({
  name: "execute",
  title: "Change the database",
  description:
    "Runs one statement that changes data or definitions in a transaction of its own, which is committed when all of it went well and else leaves nothing. Returns how many rows it touched, and the rows of RETURNING.",
  changes: true,
  arguments: z.strictObject({ sql: sqlArgument, params: parametersArgument }),
  async run({ sql, params }, database, signal) {
    const statement = checkedStatement(sql, params, WRITES);
    const result = await database.write(signal, (transaction) =>
      transaction.rows(statement.sql, statement.values, rowBounds(database.options)),
    );
    const touched = result.affected === null ? "" : ` It touched ${result.affected} rows.`;
    const answer = rowsAnswer(result, "The statement ran whole; only its rows are not all shown.");
    const [note, data] = answer.content;
    if (note?.type !== "text" || data === undefined) return answer;
    return { content: [{ type: "text", text: `Committed.${touched} ${note.text}` }, data] };
  },
});
