import { z } from "zod";
import { dataAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { shownSchema } from "../shown-schemas.ts";
import { tableDefinition } from "../table-definition.ts";
import { noSuchTable } from "../tool-failure.ts";

export const describeTable = databaseTool({
  name: "describe_table",
  title: "Describe a table",
  description:
    "Definition of a table or view: columns with types, nullability, defaults and comments; keys, checks and foreign keys; indexes; who refers to it; a view's query.",
  arguments: z.strictObject({
    table: z.string().min(1).describe("Name as the database has it, without quotes."),
    schema: z
      .string()
      .min(1)
      .optional()
      .describe("Its schema; the first that the source shows, or public, when absent."),
  }),
  async run({ table, schema }, database, signal) {
    const { options } = database;
    const where = shownSchema(schema, options);
    const definition = await database.read(signal, (transaction) =>
      tableDefinition(transaction, options, where, table),
    );
    if (definition === undefined) throw noSuchTable();
    return dataAnswer("Definition of the table.", definition);
  },
});
