import type { ClientBase } from "pg";
import { OmniError } from "../../core/index.ts";

/** One entry a version, never edited once released. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE omni_keys (
     name TEXT PRIMARY KEY,
     digest TEXT NOT NULL UNIQUE,
     prefix TEXT NOT NULL,
     may TEXT NOT NULL,
     created BIGINT NOT NULL,
     expires BIGINT,
     revoked BIGINT,
     rotated BIGINT,
     graced TEXT,
     graced_until BIGINT
   );
   CREATE TABLE omni_keys_generation (n BIGINT NOT NULL);
   INSERT INTO omni_keys_generation VALUES (0);
   CREATE FUNCTION omni_keys_changed() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     UPDATE omni_keys_generation SET n = n + 1;
     PERFORM pg_notify('omni_keys', '');
     RETURN NULL;
   END $$;
   CREATE TRIGGER omni_keys_changed AFTER INSERT OR UPDATE OR DELETE ON omni_keys
     FOR EACH STATEMENT EXECUTE FUNCTION omni_keys_changed();
   CREATE TABLE omni_usage (
     day TEXT NOT NULL,
     key TEXT NOT NULL,
     model TEXT NOT NULL,
     service TEXT NOT NULL,
     requests BIGINT NOT NULL,
     prompt_tokens BIGINT NOT NULL,
     completion_tokens BIGINT NOT NULL,
     cached_tokens BIGINT NOT NULL,
     PRIMARY KEY (day, key, model, service)
   );
   CREATE TABLE omni_allowances (
     key TEXT NOT NULL,
     allowance TEXT NOT NULL,
     used DOUBLE PRECISION NOT NULL,
     at DOUBLE PRECISION NOT NULL,
     holds JSONB NOT NULL,
     PRIMARY KEY (key, allowance)
   );`,
];

/** Any number, as long as every Omni uses the same: the first bytes of "omnikeys". */
const ADVISORY_LOCK = "8029468195843569779";

/**
 * Brings the database to this version; of several gateways that start together one does it and the others wait.
 * Throws OmniError `store.newer-version`, and PostgreSQL's own errors.
 */
export async function migratePostgres(client: ClientBase, place: string): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`);
    await client.query("CREATE TABLE IF NOT EXISTS omni_schema (version INTEGER NOT NULL)");
    const { rows } = await client.query<{ version: number | null }>(
      "SELECT max(version) AS version FROM omni_schema",
    );
    const version = rows[0]?.version ?? 0;
    if (version > MIGRATIONS.length) {
      throw new OmniError(
        "store.newer-version",
        `${place} has schema version ${version}; this Omni knows versions up to ${MIGRATIONS.length}.`,
      );
    }
    for (const [index, statements] of MIGRATIONS.entries()) {
      if (index < version) continue;
      await client.query(statements);
      await client.query("INSERT INTO omni_schema VALUES ($1)", [index + 1]);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}
