import type { DatabaseSync, StatementSync } from "node:sqlite";
import { z } from "zod";
import type { UsageQuery, UsageRow } from "./stored-key.ts";

const ROW = z.object({
  day: z.string(),
  key: z.string(),
  model: z.string(),
  service: z.string(),
  requests: z.coerce.number(),
  prompt_tokens: z.coerce.number(),
  completion_tokens: z.coerce.number(),
  cached_tokens: z.coerce.number(),
});

const COUNTS = ["requests", "prompt_tokens", "completion_tokens", "cached_tokens"] as const;
export const USAGE_COLUMNS = ["day", "key", "model", "service", ...COUNTS] as const;
/** What happens to a row that is there already, the same in SQLite and PostgreSQL. */
export const ADD_USAGE =
  "ON CONFLICT (day, key, model, service) DO UPDATE SET " +
  COUNTS.map((name) => `${name} = key_usage.${name} + excluded.${name}`).join(", ");

/** Usage from its row, the same in SQLite and PostgreSQL. */
export function usageFromRow(row: unknown): UsageRow {
  const { prompt_tokens, completion_tokens, cached_tokens, ...rest } = ROW.parse(row);
  return {
    ...rest,
    promptTokens: prompt_tokens,
    completionTokens: completion_tokens,
    cachedTokens: cached_tokens,
  };
}

/** Usage of keys in a SQLite database; a row for each day, key, model and service. */
export class UsageTable {
  readonly #database: DatabaseSync;
  readonly #add: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#add = database.prepare(
      `INSERT INTO key_usage (${USAGE_COLUMNS.join(", ")}) VALUES (${USAGE_COLUMNS.map(() => "?").join(", ")}) ${ADD_USAGE}`,
    );
  }

  /** Adds to what is there, all or nothing. Throws SQLite's error when the database cannot be written. */
  add(rows: readonly UsageRow[]): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const row of rows)
        this.#add.run(
          row.day,
          row.key,
          row.model,
          row.service,
          row.requests,
          row.promptTokens,
          row.completionTokens,
          row.cachedTokens,
        );
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  select({ from, to, key }: UsageQuery): readonly UsageRow[] {
    return this.#database
      .prepare(
        `SELECT ${USAGE_COLUMNS.join(", ")} FROM key_usage WHERE day >= ? AND day <= ? AND (? IS NULL OR key = ?) ` +
          "ORDER BY day, key, model, service",
      )
      .all(from, to, key ?? null, key ?? null)
      .map(usageFromRow);
  }

  /** Deletes the days before `oldest`. */
  prune(oldest: string): void {
    this.#database.prepare("DELETE FROM key_usage WHERE day < ?").run(oldest);
  }
}
