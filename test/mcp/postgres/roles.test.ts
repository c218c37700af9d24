import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgres } from "../../../src/mcp/postgres/postgres-server.ts";
import { noPostgres } from "../../fakes/postgres-server.ts";
import { adminOf, ask, attackedDatabase, OPTIONS, tableOf } from "./attacked-database.ts";
import type { AttackedDatabase } from "./attacked-database.ts";

const never = new AbortController().signal;

describe.skipIf(noPostgres() !== undefined)("the role of a PostgreSQL server", () => {
  let world: AttackedDatabase;
  beforeAll(async () => {
    world = await attackedDatabase();
  });
  afterAll(async () => {
    await world?.remove();
  });

  /** What a source of this role says: its refusal, or nothing. */
  const refusal = async (dsn: string, options: Partial<typeof OPTIONS> = {}): Promise<string> => {
    const provider = createPostgres({ ...OPTIONS, ...options, dsn });
    const thrown: unknown = await provider.offers(never).then(
      () => "",
      (error: unknown) => error,
    );
    const state = provider.view();
    await provider.close();
    if (thrown === "") return "";
    expect(thrown).toMatchObject({ code: "mcp.postgres-role" });
    expect(state.state).toBe("failed");
    return thrown instanceof Error ? `${thrown.message} ${"hint" in thrown ? String(thrown.hint) : ""}` : "";
  };

  it("is refused when it is a superuser, with the statements that make a proper one", async () => {
    const words = await refusal(world.dsn("omni"), { ...OPTIONS });
    expect(words).toContain("it is a superuser");
    expect(words).toContain("CREATE ROLE omni_reader LOGIN");
    expect(words).toContain('GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO omni_reader;');
  });

  it.each([
    ["ALTER ROLE reader BYPASSRLS", "ALTER ROLE reader NOBYPASSRLS", "BYPASSRLS"],
    ["ALTER ROLE reader CREATEROLE", "ALTER ROLE reader NOCREATEROLE", "CREATEROLE"],
    ["ALTER ROLE reader CREATEDB", "ALTER ROLE reader NOCREATEDB", "CREATEDB"],
    ["ALTER ROLE reader REPLICATION", "ALTER ROLE reader NOREPLICATION", "REPLICATION"],
    [
      "GRANT pg_execute_server_program TO reader",
      "REVOKE pg_execute_server_program FROM reader",
      "run programs",
    ],
    ["GRANT pg_read_server_files TO reader", "REVOKE pg_read_server_files FROM reader", "read any file"],
    ["GRANT pg_write_server_files TO reader", "REVOKE pg_write_server_files FROM reader", "write any file"],
    ["GRANT pg_signal_backend TO reader", "REVOKE pg_signal_backend FROM reader", "end others' sessions"],
    ["GRANT pg_maintain TO reader", "REVOKE pg_maintain FROM reader", "pg_maintain"],
    ["GRANT pg_checkpoint TO reader", "REVOKE pg_checkpoint FROM reader", "pg_checkpoint"],
    [
      "GRANT pg_create_subscription TO reader",
      "REVOKE pg_create_subscription FROM reader",
      "pg_create_subscription",
    ],
    ["GRANT pg_write_all_data TO reader", "REVOKE pg_write_all_data FROM reader", "change every table"],
    ["GRANT omni TO reader", "REVOKE omni FROM reader", "through omni it is a superuser"],
    [
      "CREATE ROLE middle NOINHERIT; GRANT pg_read_server_files TO middle; GRANT middle TO reader WITH INHERIT FALSE",
      "DROP ROLE middle",
      "pg_read_server_files",
    ],
    ["ALTER DATABASE postgres OWNER TO reader", "ALTER DATABASE postgres OWNER TO omni", "owns the database"],
    [
      "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO reader",
      "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM reader",
      "pg_read_file",
    ],
  ])("is refused after %s", async (grant, revoke, words) => {
    await world.admin.query(grant);
    try {
      expect(await refusal(world.dsn("reader"))).toContain(words);
    } finally {
      await world.admin.query(revoke);
    }
    expect(await refusal(world.dsn("reader"))).toBe("");
  });

  it("may write everything on a source that is there to write", async () => {
    await world.admin.query("GRANT pg_write_all_data TO writer");
    expect(await refusal(world.dsn("writer"))).toContain("pg_write_all_data");
    expect(await refusal(world.dsn("writer"), { writable: true })).toBe("");
    await world.admin.query("REVOKE pg_write_all_data FROM writer");
  });

  it("is checked again, and a refusal is forgotten when its owner has mended it", async () => {
    await world.admin.query("ALTER ROLE reader CREATEDB");
    const provider = createPostgres({ ...OPTIONS, dsn: world.dsn("reader") });
    await expect(ask(provider, "query", { sql: "SELECT 1" })).rejects.toThrow(/CREATEDB/u);
    await world.admin.query("ALTER ROLE reader NOCREATEDB");
    provider.retry();
    expect(tableOf(await ask(provider, "query", { sql: "SELECT 1 AS n" })).rows).toEqual([[1]]);
    await provider.close();
  });

  it("tells its owner, and only its owner by name, what it reaches", async () => {
    const provider = createPostgres({ ...OPTIONS, dsn: world.dsn("reader") });
    const { instructions } = await provider.offers(never);
    expect(instructions).toContain("SECURITY DEFINER");
    expect(instructions).not.toContain("sneaky");
    expect(provider.view().reason).toContain("sneaky()");
    await provider.close();
    const writing = createPostgres({ ...OPTIONS, dsn: world.dsn("writer") });
    await writing.offers(never);
    expect(writing.view().reason).toContain("only the read-only transaction prevents it. (victims)");
    await writing.close();
  });

  it("of a superuser, by its owner's will, is held by the transaction and not by rights", async () => {
    const provider = createPostgres({ ...OPTIONS, dsn: world.dsn("omni"), allowSuperuser: true });
    const before = await world.fingerprint();
    const run = (sql: string) => ask(provider, "query", { sql });
    for (const sql of [
      "SELECT sneaky()",
      "SELECT nextval('counter')",
      "WITH d AS (DELETE FROM victims RETURNING 1) SELECT * FROM d",
      "SELECT switched()",
      "SELECT 1; DELETE FROM victims",
      "COPY (SELECT 1) TO PROGRAM 'id'",
      "SELECT lo_import('/etc/passwd')",
    ]) {
      expect((await run(sql)).failed, sql).toBe(true);
    }
    // Why such a role is refused without its owner's word.
    for (const sql of [
      "SELECT length(pg_read_file('postgresql.conf'))",
      "SELECT count(rolpassword) FROM pg_authid",
    ]) {
      expect((await run(sql)).failed, sql).toBe(false);
    }
    expect(await world.fingerprint()).toBe(before);
    expect(provider.view().reason).toContain("it is a superuser");
    await provider.close();
  });

  it("with dblink in reach is warned about, and no connection of it outlives a call", async () => {
    await world.admin.query("CREATE DATABASE linked");
    const url = new URL(world.server.url);
    url.pathname = "/linked";
    const admin = await adminOf(url.href);
    const self = new URL(world.dsn("writer"));
    const back = `host=127.0.0.1 port=${self.port} dbname=linked user=writer password=${self.password}`;
    await admin.query(
      `CREATE EXTENSION dblink; CREATE TABLE notes (t text); GRANT SELECT, INSERT ON notes TO writer`,
    );
    const provider = createPostgres({ ...OPTIONS, dsn: world.dsn("reader", "linked"), connections: 1 });
    await provider.offers(never);
    expect(provider.view().reason).toContain("dblink");
    const run = (sql: string, params: readonly unknown[] = []) => ask(provider, "query", { sql, params });
    expect((await run("SELECT dblink_connect('mine', $1)", [back])).failed).toBe(false);
    expect(tableOf(await run("SELECT dblink_get_connections() AS c")).rows).toEqual([[null]]);
    expect(provider.view().connections).toBe(0);
    // A transaction cannot hold what another connection does: only who has another role's password can do this.
    expect(
      (await run("SELECT dblink_exec($1, 'INSERT INTO notes VALUES (''written'')')", [back])).failed,
    ).toBe(false);
    expect((await admin.query("SELECT t FROM notes")).rows).toEqual([{ t: "written" }]);
    await provider.close();
    await admin.end();
  });
});
