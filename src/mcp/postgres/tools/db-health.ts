import { z } from "zod";
import { dataAnswer } from "../answer.ts";
import { databaseTool } from "../database-tool.ts";
import { HEALTH } from "../health-queries.ts";

export const dbHealth = databaseTool({
  name: "db_health",
  title: "Health of the database",
  description:
    "Connections, longest transactions, who waits for locks and for whom, cache hits, dead rows, sizes and replication lag, as far as the role may see them.",
  arguments: z.strictObject({}),
  async run(_args, database, signal) {
    const parts = await database.read(signal, async (transaction) => {
      const found: string[] = [];
      for (const { part, sql } of HEALTH) {
        const [row] = await transaction.list(sql);
        found.push(`${JSON.stringify(part)}:${row?.[0] ?? "null"}`);
      }
      return found;
    });
    return dataAnswer(
      "Health of the database; null is nothing, or what the role may not see.",
      `{${parts.join(",")}}`,
    );
  },
});
